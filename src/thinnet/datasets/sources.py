"""The sources of official data files, and the cache that they are downloaded to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

from rich.progress import Progress

from thinnet.atomic import user_folder
from thinnet.checks import DataFileError


class Source(NamedTuple):
    """The addresses of four official idx files, with their official md5 sums."""

    name: str
    url: str
    md5: dict[str, str]


FILES: Final = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
FASHION_MNIST: Final = Source(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    dict(
        zip(
            FILES,
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
            strict=True,
        )
    ),
)
MNIST: Final = Source(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    dict(
        zip(
            FILES,
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
            strict=True,
        )
    ),
)


def find(source: Source, file: str, data_dir: str | os.PathLike[str] | None) -> Path:
    """The path of an idx file, packed or not, after a download where it is needed and possible."""
    if data_dir is None:
        return _cached(source, file)
    folder = Path(data_dir)
    for path in (folder / file, folder / file.removesuffix(".gz")):
        if path.is_file():
            return path
    raise DataFileError(
        f"{folder} must hold the four idx files {', '.join(FILES)} of {source.name}, got no {file}"
    )


def _cached(source: Source, file: str) -> Path:
    """The file in the cache, downloaded unless it is there with the official checksum."""
    import pooch

    cache = _folder(source)
    try:
        with Progress(transient=True) as progress:
            downloader = pooch.HTTPDownloader(progressbar=_Bar(progress, file), timeout=20)
            return Path(
                pooch.retrieve(
                    source.url + file,
                    known_hash=f"md5:{source.md5[file]}",
                    fname=file,
                    path=cache,
                    downloader=downloader,
                )
            )
    except ValueError as error:
        raise DataFileError(
            f"{file} of {source.name} must have the official checksum {source.md5[file]}, "
            "got a download with another"
        ) from error
    except OSError as error:
        raise DataFileError(
            f"{file} of {source.name} could not be downloaded ({type(error).__name__}); put the "
            f"four files {', '.join(FILES)} into {cache}, or into a folder named by data_dir"
        ) from error


def _folder(source: Source) -> Path:
    """Where a data set is downloaded to; DataFileError for a user without a home."""
    if (folder := user_folder()) is not None:
        return folder / source.name
    raise DataFileError(
        f"this user must have a home folder, into which {source.name} is downloaded, got none; "
        f"put the four files {', '.join(FILES)} into a folder named by data_dir"
    )


class _Bar:
    """pooch's progress interface on a rich bar."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress, self._task = progress, progress.add_task(title, total=None)
        self._total = 0

    @property
    def total(self) -> int:
        return self._total

    @total.setter
    def total(self, value: int) -> None:
        self._total = value
        self._progress.update(self._task, total=value)

    def update(self, n: int) -> None:
        self._progress.advance(self._task, n)

    def reset(self) -> None:
        self._progress.reset(self._task, total=self._total)

    def close(self) -> None:
        pass
