"""Settings of Python in the command's words."""

from commanding import thinnet_command
from fitted_tables import FAST

from thinnet.cli.flags import in_flags


def test_names_of_python_are_options_in_the_commands_words(table):
    weights = ("--balanced", "--threshold-for", "f1")
    code, output = thinnet_command("fit", table, "--target", "buys", *weights, *FAST)
    assert code == 0
    assert "--balanced weighs classes up in training, a threshold decides on classes" in output
    assert "class_weight" not in output
    assert "in what is predicted" not in output
    assert in_flags("want: threshold_for='f1'") == "want: --threshold-for f1"
    assert in_flags("a folder named by data_dir") == "a folder named by --data-dir"
    for other in ("column 'batch_size' is", "batch_size.csv must", "in/data_dir/x"):
        assert in_flags(other) == other
