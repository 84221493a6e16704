"""Reads a hundred thousand pictures into a Parquet file, on Ray: `hwr batch scans/ --out results.parquet`.

Each page is a row: `path`, `page` (from 1), `width`, `height`, `text`, `confidence` (the lowest of its lines), `lines`
(text, confidence and box of each), `error` (null if the page was read) and `seconds`.

Ray runs on this machine, or on the cluster that `RAY_ADDRESS` names. The cluster's machines must have the files at the
same paths. Results lie in parts beside the Parquet file until all files are read. After an interruption, the same command
reads only the rest. After a complete run, it reads the files with errors again.
"""

import json
import logging
import os
import sys
import time
import uuid
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from glob import glob
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
from tqdm import tqdm

from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.documents.document import open_document, shown
from hwr_core.documents.input_formats import SUFFIXES
from hwr_core.errors import HandwritingError
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.pipeline import Mode, read_picture
from hwr_core.reading import Page
from hwr_core.runtime.log import log_unexpected
from hwr_core.runtime.paths import MODELS, PACKAGE

logger = logging.getLogger(__name__)

CHUNK = 8  # files of one task of a worker; they are read again if the worker is killed
LINE = pyarrow.struct(
    [("text", pyarrow.string()), ("confidence", pyarrow.float32()), ("box", pyarrow.list_(pyarrow.int32()))]
)
SCHEMA = pyarrow.schema([
    ("path", pyarrow.string()), ("page", pyarrow.int32()), ("width", pyarrow.int32()), ("height", pyarrow.int32()), ("text", pyarrow.string()),
    ("confidence", pyarrow.float32()), ("lines", pyarrow.list_(LINE)), ("error", pyarrow.string()), ("seconds", pyarrow.float32()),
])  # fmt: skip
JOB = b"hwr_core.batch"  # key of the job in the Parquet file's metadata


@dataclass(frozen=True)
class Job:
    """How every file is read.

    Attributes:
        checkpoint: The checkpoint's name, as `load_recognizer` takes it.
        mode: What each picture shows, as `read_picture` takes it.
        beams: Beams of the search; None for the checkpoint's number.
        settings: The preprocessing settings.
        device: "cpu" or "cuda".
        words: Words to favour.
        language: The language of the text; None has each line tell its own.
    """

    checkpoint: str = "text"
    mode: Mode = "page"
    beams: int | None = None
    settings: PreprocessSettings = field(default_factory=PreprocessSettings)
    device: str = "cpu"
    words: tuple[str, ...] = ()
    language: str | None = None

    def to_json(self) -> str:
        """Returns the job as JSON with sorted keys, so that equal jobs are equal texts."""
        # A job without words or language equals one of a version that had none.
        own = {
            key: value for key, value in asdict(self).items() if (key, value) not in (("words", ()), ("language", None))
        }
        return json.dumps(own, sort_keys=True)


class Worker:
    """A Ray actor: it loads the checkpoint once and reads files."""

    def __init__(self, job: Job):
        self.job, self.recognizer = job, load_recognizer(job.checkpoint, job.device)
        if job.words:
            self.recognizer = self.recognizer.with_words(job.words)
        if job.language is not None:
            self.recognizer = self.recognizer.with_language(job.language)

    def __call__(self, chunk: pyarrow.Table) -> pyarrow.Table:
        """Returns the rows of the files whose paths (bytes) are in the column `path`."""
        rows = [row for path in chunk["path"].to_pylist() for row in self.rows_of(os.fsdecode(path))]
        return pyarrow.Table.from_pylist(rows, SCHEMA)

    def rows_of(self, path: str) -> list[dict]:
        """Returns a row for each page of a file, with an error if it cannot be read, or one row if the file cannot be opened."""
        rows, started = [], time.perf_counter()
        try:
            document = open_document(_bytes(path), shown(Path(path).name))
        except HandwritingError as error:
            return [_row(path, 1, error=str(error))]
        for index in range(document.count):
            try:
                page = read_picture(
                    partial(document.page, index), self.recognizer, self.job.mode, self.job.settings, self.job.beams
                )
                rows.append(_row(path, index + 1, page))
            except HandwritingError as error:
                rows.append(_row(path, index + 1, error=str(error)))
            except Exception as error:  # a bug, or a library's error on an odd picture: the other pages are read
                log_unexpected(logger, "Reading a page", error)
                rows.append(_row(path, index + 1, error=f"Internal error ({type(error).__name__})."))
            rows[-1]["seconds"], started = time.perf_counter() - started, time.perf_counter()
        return rows


def _try(job: Job) -> None:
    load_recognizer(job.checkpoint, job.device)


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HandwritingError(f"{os.path.basename(path)} cannot be read ({error.strerror}).") from None


def _row(path: str, number: int, page: Page | None = None, error: str | None = None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names) | {
        "path": shown(path),
        "page": number,
        "error": error,
        "seconds": 0.0,
    }
    if page is not None:
        lines = [
            {"text": line.reading.text, "confidence": line.reading.confidence, "box": list(line.box)}
            for line in page.lines
        ]
        row |= {"width": page.size[0], "height": page.size[1], "text": page.text, "lines": lines}
        row["confidence"] = min((line.reading.confidence for line in page.lines), default=None)
    return row


def files_of(pattern: str) -> list[str]:
    """Returns the absolute paths of the pictures and documents to read, sorted.

    Args:
        pattern: A folder, which is searched with its subfolders, or a pattern such as `scans/*.jpg`.

    Raises:
        HandwritingError: There are none.
    """
    if os.path.isdir(pattern):
        found = [str(path) for path in Path(pattern).rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    else:
        found = [path for path in glob(pattern, recursive=True) if os.path.isfile(path)]
    if not found:
        raise HandwritingError(
            f"There are no pictures in {pattern}: name a folder, or a pattern such as 'scans/*.jpg'."
        )
    return sorted(map(os.path.abspath, found))


class Results:
    """The rows that are read: those of an earlier run in the Parquet file, those of this run in parts beside it.

    Each file is written completely or not at all.

    Args:
        out: The Parquet file.
        job: How the files are read.

    Raises:
        HandwritingError: The file exists and is no Parquet file, or it was read with another job.
    """

    def __init__(self, out: Path, job: Job):
        self.out, self.parts, self.job = out, out.with_name(out.name + ".parts"), job
        self.schema = SCHEMA.with_metadata({JOB: job.to_json()})
        for path in self.files():
            try:
                metadata = parquet.read_schema(path).metadata or {}
            except pyarrow.ArrowException:
                raise HandwritingError(
                    f"{path} exists and is no Parquet file: name another file, or delete it."
                ) from None
            if metadata.get(JOB) != job.to_json().encode():
                raise HandwritingError(
                    f"{out} was read with another checkpoint or other settings: name another file, or delete it."
                )

    def files(self) -> list[Path]:
        """Returns the parts, then the Parquet file: a row of a part is newer."""
        return sorted(self.parts.glob("*.parquet")) + ([self.out] if self.out.exists() else [])

    def done(self) -> set[str]:
        """Returns the paths of the files that need no reading. Files with an error in an earlier run are read again."""
        found: set[str] = set()
        for file in self.files():
            table = parquet.read_table(file, columns=["path", "error"]).to_pydict()
            bad = {
                path
                for path, error in zip(table["path"], table["error"], strict=True)
                if error is not None and file == self.out
            }
            found |= set(table["path"]) - bad
        return found

    def add(self, rows: pyarrow.Table) -> None:
        """Writes a part."""
        self.parts.mkdir(parents=True, exist_ok=True)
        self._write(self.parts / f"{uuid.uuid4().hex}.parquet", iter([rows]))

    def finish(self) -> None:
        """Joins all rows in the Parquet file, then deletes the parts. If it is killed in between, the next call drops duplicates."""
        seen: set[str] = set()

        def rows() -> Iterator[pyarrow.Table]:
            for file in self.files():
                table = parquet.read_table(file)
                fresh = [path not in seen for path in table["path"].to_pylist()]
                seen.update(table["path"].to_pylist())
                yield table.filter(pyarrow.array(fresh))

        self._write(self.out, rows())
        for file in self.parts.glob("*"):
            file.unlink()
        if self.parts.exists():
            self.parts.rmdir()

    def _write(self, path: Path, tables: Iterator[pyarrow.Table]) -> None:
        unfinished = path.with_name(path.name + ".unfinished")
        with parquet.ParquetWriter(unfinished, self.schema) as writer:
            for table in tables:
                writer.write_table(table.cast(self.schema))
        os.replace(unfinished, path)


def run(pattern: str, out: Path, job: Job, workers: int | None = None, quiet: bool = False) -> int:
    """Reads all files that are not in the results yet.

    Args:
        pattern: The files, as `files_of` takes them.
        out: The Parquet file.
        job: How the files are read.
        workers: The number of processes that read; by default one for each core or GPU.
        quiet: Shows no progress bar.

    Returns:
        The number of files that have rows.

    Raises:
        HandwritingError: There are no files, the results cannot be used, or no worker can start.
    """
    files = files_of(pattern)
    results = Results(out, job)
    done = results.done()
    left = [path for path in files if shown(path) not in done]

    def still() -> list[str]:
        read = results.done()
        return [path for path in left if shown(path) not in read]

    with tqdm(total=len(files), initial=len(files) - len(left), unit="file", disable=quiet, file=sys.stderr) as bar:
        if left:
            # A file that kills its worker takes the others of its chunk along: these are read again, one at a time.
            for chunk in (CHUNK, 1):
                for rows in _read(still(), job, workers, chunk):
                    results.add(rows)
                    bar.update(len(set(rows["path"].to_pylist())))
            lost = still()  # files that killed their worker each time
            if lost:
                results.add(
                    pyarrow.Table.from_pylist(
                        [_row(path, 1, error="The worker that read it died.") for path in lost], SCHEMA
                    )
                )
                bar.update(len(lost))
    results.finish()
    return len(files)


def _read(files: Sequence[str], job: Job, workers: int | None, chunk: int) -> Iterator[pyarrow.Table]:
    """Yields the rows of the files as Ray's actors read them, `chunk` files at a time."""
    if not files:
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    import ray.data  # sets the level of its logger

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message=".*ray_remote_args.*")  # ray has no parameter that replaces them
    if not ray.is_initialized():
        ray.init(include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False, runtime_env=_runtime())
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.verbose_progress = False
    context.max_errored_blocks = -1  # a file that kills its worker becomes a row with an error
    gpus = 1 if job.device == "cuda" else 0
    resources = ray.cluster_resources()
    most = int(resources.get("GPU", 0) if gpus else resources.get("CPU", 1) or 1)
    if not most:  # Ray would wait for a GPU for ever
        raise HandwritingError("There is no GPU: leave out --device cuda.")
    # Loads the checkpoint once on a worker's machine: Ray would start an actor that fails at it again and again.
    try:
        ray.get(ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(_try).remote(job))
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (
            cause if isinstance(cause, HandwritingError) else HandwritingError(f"No worker can start: {cause!r}.")
        ) from None
    blocks = -(-len(files) // chunk)
    data: ray.data.Dataset = ray.data.from_items(
        [{"path": os.fsencode(path)} for path in files], override_num_blocks=blocks
    )
    data = data.map_batches(
        Worker, fn_constructor_args=(job,), batch_size=chunk, batch_format="pyarrow", num_cpus=1, num_gpus=gpus,
        compute=ray.data.ActorPoolStrategy(size=min(workers or most, blocks)), max_restarts=-1, max_task_retries=3,
    )  # fmt: skip
    for rows in data.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        if len(rows):
            yield rows


def _runtime() -> dict:
    """Returns how the workers find this package: in its place on this machine; a cluster gets a copy."""
    if not os.environ.get("RAY_ADDRESS"):
        path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
        return {"env_vars": {"PYTHONPATH": path}}
    if MODELS.is_relative_to(PACKAGE):  # installed
        return {"py_modules": [str(PACKAGE)]}
    excludes = [".git", ".venv", "runs", "tests", "training", "pages", "docs", "*.png"]
    return {"working_dir": str(PACKAGE.parent), "excludes": excludes}
