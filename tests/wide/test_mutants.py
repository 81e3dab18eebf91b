"""The tests are tested: every deliberate fault of mutants.py must be noticed."""

import ast

import pytest
from faults import MUTANTS
from mutants import PACKAGE, TESTS, copied, places, plant, planted, run_tests

FILES = sorted({test for mutant in MUTANTS for test in mutant.tests})
OF_TORCH = "export/test_torch.py"  # without PyTorch it would pass, with every test skipped


def case(mutant):
    marks = [pytest.mark.torch] if OF_TORCH in mutant.tests else []
    return pytest.param(mutant, id=mutant.why, marks=marks)


each_mutant = pytest.mark.parametrize("mutant", [case(mutant) for mutant in MUTANTS])


def test_no_two_faults_have_the_same_words():
    assert len({mutant.why for mutant in MUTANTS}) == len(MUTANTS)


@each_mutant
def test_a_function_does_once_what_its_fault_replaces_however_it_is_laid_out(mutant):
    source = (PACKAGE / mutant.file).read_text()
    for layout in (source, ast.unparse(ast.parse(source))):
        assert len(places(mutant, layout)) == 1


@each_mutant
def test_a_fault_is_code_that_says_something_else(mutant):
    source = (PACKAGE / mutant.file).read_text()
    assert ast.dump(ast.parse(planted(mutant, source))) != ast.dump(ast.parse(source))


@each_mutant
def test_the_tests_that_should_notice_a_fault_exist(mutant):
    for test in mutant.tests:
        file, _, function = test.partition("::")
        assert f"def {function}" in (TESTS / file).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("files", [FILES[::2], FILES[1::2]], ids=["one half", "the other half"])
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
