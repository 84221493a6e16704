"""Reading a hundred thousand pictures: `python -m hwr_core batch scans/ --out results.parquet`, on Ray Data.

One row a page: `path`, `page` (from 1), `width`, `height`, `text`, `confidence` (that of its least sure line), `lines` (text, confidence and
box of each), `error` (null where the page was read) and `seconds`. On this machine, or on the cluster that `RAY_ADDRESS` names, whose machines must see the files at the
same paths. What is done lies in parts beside the file until all is: after a kill, the same command does only what is left;
run again when all is done, it tries once more what has an error.
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

ROOT = Path(__file__).resolve().parents[1]
CHUNK = 8  # files that a worker is given at once, and that are done again where it is killed
LINE = pyarrow.struct(
    [("text", pyarrow.string()), ("confidence", pyarrow.float32()), ("box", pyarrow.list_(pyarrow.int32()))]
)
SCHEMA = pyarrow.schema([
    ("path", pyarrow.string()), ("page", pyarrow.int32()), ("width", pyarrow.int32()), ("height", pyarrow.int32()), ("text", pyarrow.string()),
    ("confidence", pyarrow.float32()), ("lines", pyarrow.list_(LINE)), ("error", pyarrow.string()), ("seconds", pyarrow.float32()),
])  # fmt: skip
JOB = b"hwr_core.batch"  # in the file's metadata: how it was read


@dataclass(frozen=True)
class Job:
    """How every file is read. `mode` as for `read_picture`."""

    checkpoint: str = "text"
    mode: Mode = "page"
    beams: int | None = None
    settings: PreprocessSettings = field(default_factory=PreprocessSettings)
    device: str = "cpu"

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


class Worker:
    """An actor: loads the checkpoint once, and reads the files whose paths it is given."""

    def __init__(self, job: Job):
        self.job, self.recognizer = job, load_recognizer(job.checkpoint, job.device)

    def __call__(self, chunk: pyarrow.Table) -> pyarrow.Table:
        rows = [row for path in chunk["path"].to_pylist() for row in self.rows_of(os.fsdecode(path))]
        return pyarrow.Table.from_pylist(rows, SCHEMA)

    def rows_of(self, path: str) -> list[dict]:
        """One for each page; one with an error where the file, or a page, cannot be read."""
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
            except (
                Exception
            ) as error:  # whatever a library makes of an odd picture: it must not cost the files beside it
                rows.append(_row(path, index + 1, error=f"It cannot be read ({type(error).__name__})."))
            rows[-1]["seconds"], started = time.perf_counter() - started, time.perf_counter()
        return rows


def _try(job: Job) -> None:
    load_recognizer(job.checkpoint, job.device)


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HandwritingError(f"{os.path.basename(path)} cannot be read ({error.strerror}).") from None


def _row(path: str, number: int, page: Page | None = None, error: str | None = None) -> dict:
    row = dict.fromkeys(SCHEMA.names) | {"path": shown(path), "page": number, "error": error, "seconds": 0.0}
    if page is not None:
        lines = [
            {"text": line.reading.text, "confidence": line.reading.confidence, "box": list(line.box)}
            for line in page.lines
        ]
        row |= {"width": page.size[0], "height": page.size[1], "text": page.text, "lines": lines}
        row["confidence"] = min((line["confidence"] for line in lines), default=None)
    return row


def files_of(pattern: str) -> list[str]:
    """The pictures and documents in a folder and those below it, or the files that a pattern such as `scans/*.jpg` names; sorted."""
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
    """The rows so far: of an earlier run in the file itself, of this one in parts beside it, each written whole or not at all."""

    def __init__(self, out: Path, job: Job):
        self.out, self.parts, self.job = out, out.with_name(out.name + ".parts"), job
        self.schema = SCHEMA.with_metadata({JOB: job.to_json()})
        for path in self.files():
            try:
                metadata = parquet.read_schema(path).metadata or {}
            except pyarrow.ArrowException:
                raise HandwritingError(
                    f"{path} is there and is no Parquet file: name another file, or delete it."
                ) from None
            if metadata.get(JOB) != job.to_json().encode():
                raise HandwritingError(
                    f"{out} was read with another checkpoint or other settings: name another file, or delete it."
                )

    def files(self) -> list[Path]:
        """The parts first: what they have is newer than the file."""
        return sorted(self.parts.glob("*.parquet")) + ([self.out] if self.out.exists() else [])

    def done(self) -> set[str]:
        """The paths of the files that have rows. Of an earlier run those with an error are tried again."""
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
        self.parts.mkdir(parents=True, exist_ok=True)
        self._write(self.parts / f"{uuid.uuid4().hex}.parquet", iter([rows]))

    def finish(self) -> None:
        """All in one file. Killed between its two steps, it does them again: of a path that is in the file and in a part, one counts."""
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
    """Reads all files that are not in the results yet; how many files have rows then. Raises `HandwritingError` where nothing can be done."""
    files = files_of(pattern)
    results = Results(out, job)
    done = results.done()
    left = [path for path in files if shown(path) not in done]

    def still() -> list[str]:
        read = results.done()
        return [path for path in left if shown(path) not in read]

    with tqdm(total=len(files), initial=len(files) - len(left), unit="file", disable=quiet, file=sys.stderr) as bar:
        if left:
            for chunk in (
                CHUNK,
                1,
            ):  # a file that kills its worker takes those beside it along: they are read again, alone
                for rows in _read(still(), job, workers, chunk):
                    results.add(rows)
                    bar.update(len(set(rows["path"].to_pylist())))
            lost = still()  # those whose worker died with them, time and again
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
    """The rows of the files, as they are read by Ray's actors, `chunk` files at a time."""
    if not files:
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    import ray.data  # which sets the level of its log anew

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message=".*ray_remote_args.*")  # no named parameter takes their place yet
    if not ray.is_initialized():
        ray.init(include_dashboard=False, logging_level="ERROR", log_to_driver=False, runtime_env=_runtime())
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.verbose_progress = False
    context.max_errored_blocks = -1  # what kills its worker becomes a row
    gpus = 1 if job.device == "cuda" else 0
    resources = ray.cluster_resources()
    most = int(resources.get("GPU", 0) if gpus else resources.get("CPU", 1) or 1)
    if not most:  # Ray would wait for one
        raise HandwritingError("There is no GPU: leave out --device cuda.")
    try:  # on a worker's machine, whether the checkpoint can be loaded: an actor that fails at it is started again and again
        ray.get(ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(_try).remote(job))
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (
            cause if isinstance(cause, HandwritingError) else HandwritingError(f"No worker can start: {cause!r}.")
        ) from None
    blocks = -(-len(files) // chunk)
    data = ray.data.from_items([{"path": os.fsencode(path)} for path in files], override_num_blocks=blocks)
    data = data.map_batches(
        Worker, fn_constructor_args=(job,), batch_size=chunk, batch_format="pyarrow", num_cpus=1, num_gpus=gpus,
        compute=ray.data.ActorPoolStrategy(size=min(workers or most, blocks)), max_restarts=-1, max_task_retries=3,
    )  # fmt: skip
    for rows in data.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        if len(rows):
            yield rows


def _runtime() -> dict:
    """How the workers find this package: on this machine where it lies; a cluster's get a copy of it."""
    if not os.environ.get("RAY_ADDRESS"):
        return {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}}
    return {"working_dir": str(ROOT), "excludes": [".git", ".venv", "runs", "tests", "training", "pages", "*.png"]}
