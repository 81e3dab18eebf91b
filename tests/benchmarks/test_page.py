"""docs/benchmarks.md is made of files: what stands in them stands on it, machine beside machine."""

import io
import json

import pytest
from paths import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
WORK = "784-256-256-10, dropout .2/.5, SGD"


def timed(median, ratio, spread=0.0):
    ends = {"low": ratio - spread, "median": ratio, "high": ratio + spread}
    seconds = {"low": median / 2, "median": median, "high": median * 2}
    return {"seconds": seconds, "ratio": ratio, "ratios": ends, "check": None}


def row(title=WORK, **systems):
    systems = {name.replace("_", " "): system for name, system in systems.items()}
    return {"title": title, "unit": "step", "rounds": 5, "systems": systems}


ROW = row(thinnet=timed(0.002, 1.0), torch=timed(0.007, 3.5, 0.25))


def machine(**changes):
    plain = {"model": "Laptop(R) CPU @ 2GHz", "llvm": "znver9", "processor": "znver9"}
    return plain | {"threads": "2", "instructions": "AVX-512", "date": "2026-01-02"} | changes


@pytest.fixture
def kinds(benchmarks, tmp_path):
    """The kinds of machines of some records, read from files."""
    import results

    def kinds(*records):
        for number, record in enumerate(records):
            (tmp_path / f"{number}.json").write_text(json.dumps(record))
        return results.read(tmp_path.glob("*.json"))

    return kinds


def lines_of(table, first):
    return [line.split(" | ") for line in table.splitlines() if line.startswith(f"| {first} |")]


def test_the_page_shows_what_the_files_beside_it_hold(benchmarks):
    import page
    import results
    from marked import renewed

    found = results.read(results.FOLDER.glob("*.json"))
    assert len(found) >= 2
    assert renewed(PAGE.read_text("utf-8"), page.parts(found)) == PAGE.read_text("utf-8")


def test_machines_stand_side_by_side_and_a_held_one_is_another(kinds):
    import page

    held = machine(processor="znver9, held to haswell", instructions="AVX2")
    found = kinds(
        {"machine": held, "rows": [ROW]},
        {"machine": machine(), "rows": [ROW, row("new", thinnet=timed(1.0, 1.0))]},
    )
    ((_, first, second),) = lines_of(page.speed(found), "work")
    assert first == "Laptop (Zen 9), AVX-512, 2 threads"
    assert second == "Laptop (Zen 9), held to AVX2, 2 threads |"
    ((_, ours, theirs),) = lines_of(page.speed(found), "new")
    assert ours.startswith("**1 s** a step")
    assert theirs == "not measured |"


def test_each_number_of_threads_has_a_table(kinds):
    import page

    records = [{"machine": machine(threads=str(n)), "rows": [ROW]} for n in (1, 16)]
    heads = lines_of(page.speed(kinds(*records)), "work")
    assert [head[1].split(", ")[-1] for head in heads] == ["16 threads |", "1 thread |"]


def test_a_cell_has_our_time_and_each_library_in_its_fastest_way(kinds):
    import page

    systems = {"thinnet": timed(0.002, 1.0), "jax": timed(0.004, 2.0, 0.5)}
    systems |= {"jax_scanned": timed(0.003, 1.5), "torch": timed(0.08, 40.0, 2.0)}
    found = kinds({"machine": machine(), "rows": [row(**systems)]})
    ((_, cell),) = lines_of(page.speed(found), WORK)
    assert cell.split("<br>") == [
        "**2 ms** a step",
        "(1 to 4 ms)",
        "PyTorch: 40.0 (38.0 to 42.0)",
        "JAX, scanned: 1.50 (1.50 to 1.50) |",
    ]


def test_words_say_what_an_epoch_takes(kinds):
    import page

    found = kinds({"machine": machine(), "rows": [ROW]})
    wanted = f"- {WORK}: an epoch of 60,000 rows takes 469 ms; PyTorch 1.64 s."  # of 234.375 steps
    assert wanted in page.words(found).splitlines()


def test_a_later_run_of_a_machine_takes_the_place_of_an_earlier(kinds):
    import page

    later = row(thinnet=timed(0.5, 1.0))
    found = kinds(
        {"machine": machine(date="2026-03-01"), "rows": [later]},
        {"machine": machine(date="2026-02-01"), "rows": [ROW]},
    )
    ((_, cell),) = lines_of(page.speed(found), WORK)
    assert cell.startswith("**500 ms**")


def test_the_text_around_the_tables_stays(kinds, tmp_path):
    import page
    from marked import renewed

    marked = [f"<!-- {name} -->\nold\n<!-- end of {name} -->" for name in page.TABLES]
    text = "before\n" + "\nbetween\n".join(marked) + "\nafter\n"
    fit = {"title": "digits", "dtype": "float32", "seeds": 1}
    fit["systems"] = {
        name: timed(1.0, 2.0) | {"check": 0.5} for name in ("thinnet", "scikit-learn")
    }
    figure = {"title": "import", "value": 0.25, "unit": "s", "low": 0.2, "high": 0.3}
    found = kinds({"machine": machine(), "rows": [ROW], "fits": [fit], "figures": [figure]})
    made = renewed(text, page.parts(found))
    assert made.startswith("before\n<!-- speed -->\n\n| work |")
    assert made.endswith("\nafter\n")
    assert made.count("\nbetween\n") == len(marked) - 1
    assert "old" not in made
    assert "| digits, float32 | **2.00 (2.00 to 2.00)**<br>.50000, .50000 (1 seed) |" in made
    assert "| import | 0.25 s (0.2 to 0.3) |" in made
    assert renewed(made, page.parts(found)) == made
    with pytest.raises(ValueError, match="the page must have the markers of 'speed' once"):
        renewed("no markers", page.parts(found))


def test_the_picture_names_each_system_and_how_much_longer_it_takes(kinds):
    import picture
    from PIL import Image

    ((kind, found),) = kinds({"machine": machine(), "rows": [ROW]}).items()
    made = picture.figure(kind, found)
    (ax,) = made.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["thinnet", "PyTorch"]
    assert [text.get_text().split() for text in ax.texts] == [
        ["470", "ms"],
        ["1.6", "s", "3.5", "x", "as", "long"],
    ]
    assert "3.5 to 3.5 times" in made.get_suptitle().replace("\n", " ")
    lengths = [bar.get_width() for bar in ax.patches]
    assert lengths[1] / lengths[0] == pytest.approx(3.5)
    assert Image.open(io.BytesIO(picture.png(kind, found))).size == (960, 990)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.408, "408 ms"), (1.0, "1 s"), (2.3e-10, "0.23 ns"), (9.996e-4, "1 ms"), (250.0, "250 s")],
)
def test_a_time_has_three_digits_and_a_unit(benchmarks, seconds, text):
    from amounts import shown

    assert shown(seconds) == text


def test_figures_of_whole_processes_stand_on_the_page_with_quartiles(
    benchmarks, kinds, monkeypatch, tmp_path, capsys
):
    import page
    import processes

    seconds = {"fashion_torch.py": 12.0, "fashion_ours.py": 4.0}
    monkeypatch.setattr(
        processes, "run", lambda name, *_, **__: processes.Run(seconds.get(name, 2.0), 0.5)
    )
    monkeypatch.setattr(processes, "record", lambda *_: machine())
    processes.main(data_dir=tmp_path, json_file=tmp_path / "found.json")
    assert "test accuracy 0.5000" in capsys.readouterr().out
    table = page.processes(kinds(json.loads((tmp_path / "found.json").read_text())))
    assert "| import thinnet | 0.5 s |" in table
    assert "times as fast as PyTorch | 3 |" in table
    assert processes.figure("", [1.0, 2.0, 3.0, 4.0, 5.0])[1:] == (3.0, "", 2.0, 4.0)
