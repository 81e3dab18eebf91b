"""The tests are tested: every deliberate fault of mutants.py must be noticed."""

import pytest
from mutants import MUTANTS, PACKAGE, TESTS, copied, plant, run_tests

FILES = sorted({mutant.tests for mutant in MUTANTS})
each_mutant = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.why)


@each_mutant
def test_the_text_of_a_fault_stands_once_in_the_source(mutant):
    source = (PACKAGE / mutant.file).read_text()
    assert source.count(mutant.text) == 1
    assert mutant.instead != mutant.text


@each_mutant
def test_the_tests_that_should_notice_a_fault_exist(mutant):
    assert all((TESTS / file).is_file() for file in mutant.tests)


@pytest.mark.slow
@pytest.mark.parametrize("files", FILES, ids=" ".join)
def test_without_a_fault_the_tests_pass(files, tmp_path):
    copied(tmp_path)
    finished = run_tests(tmp_path, files)
    assert finished.returncode == pytest.ExitCode.OK, finished.stdout[-2000:]


@pytest.mark.slow
@each_mutant
def test_a_fault_is_noticed(mutant, tmp_path):
    plant(mutant, copied(tmp_path))
    finished = run_tests(tmp_path, mutant.tests)
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED, finished.stdout[-2000:]
