"""A place for a model file, and models to put there.

Whatever imports thinnet is imported by the fixtures: its annotations are hooked after this file.
"""

import pytest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.thinnet"


@pytest.fixture(scope="session")
def perceptron():
    from model_files import a_perceptron

    return a_perceptron()


@pytest.fixture(scope="session")
def pipeline():
    from model_files import a_pipeline

    return a_pipeline()
