"""How a photo or a drawing becomes a `Page`: a list of steps that run one after the other.

`PAGE_STEPS` is the list for a photo. Each step takes a `Draft` and gives the next one. `run` takes them in turn; a
caller can remember the draft after any step (`cached`), watch the reading (`Job.on_progress`) and stop it
(`Job.stopped`). `read_page`, `read_region`, the command line, the API and the Photo page all run these steps.

To add a step: write a function `(Draft, Job) -> Draft` in `steps.py`, give `Draft` (`job.py`) the fields that it fills in, and
put it into `PAGE_STEPS` (`photos.py`).
"""

from hwr_core.pipeline.drawings import read_ink
from hwr_core.pipeline.job import Draft, Job, KnownReadings, LineReader, Mode, Picture, Step, Words, run
from hwr_core.pipeline.joining import join
from hwr_core.pipeline.lines import read_lines
from hwr_core.pipeline.mirrored import reject_mirrored
from hwr_core.pipeline.mixing import mix
from hwr_core.pipeline.photos import FIND_STEPS, PAGE_STEPS, READ_STEPS, read_page, read_picture, read_region
from hwr_core.pipeline.steps import clean, cut, find, lay_out, line_on_photo, place, read, regroup, take_whole

__all__ = [
    "FIND_STEPS", "PAGE_STEPS", "READ_STEPS", "Draft", "Job", "KnownReadings", "LineReader", "Mode", "Picture", "Step", "Words",
    "clean", "cut", "find", "join", "lay_out", "line_on_photo", "mix", "place", "read", "read_ink", "read_lines", "read_page",
    "read_picture", "read_region", "regroup", "reject_mirrored", "run", "take_whole",
]  # fmt: skip
