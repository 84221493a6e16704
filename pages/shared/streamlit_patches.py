"""The only module that uses what Streamlit does not offer as its interface. Each function says why it is needed."""

from collections.abc import Callable
from typing import cast

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit import runtime
from streamlit.components.v2.bidi_component import serialization
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from hwr_core.runtime.limits import MAX_BYTES

ANSWER = "file_urls_response"  # the kind of message that answers a drop with the addresses to send its files to
_clear: Callable[..., None] = ForwardMsgQueue.clear
_is_dataframe_like: Callable[[object], bool] = serialization.is_dataframe_like


def apply() -> None:
    """Patches Streamlit for this process. Calling it again changes nothing."""
    # Starlette writes an upload over 1 MB into a temporary file. Twice the limit, because Streamlit's own is in binary
    # megabytes.
    MultiPartParser.spool_max_size = 2 * MAX_BYTES
    setattr(serialization, "is_dataframe_like", _is_no_json_and_dataframe_like)  # noqa: B010, for mypy
    setattr(ForwardMsgQueue, "clear", _clear_without_answers)  # noqa: B010, for mypy


def list_no_directory() -> None:
    """Has the first visit ask streamlit_app.py which pages there are, also a visit to /photo.

    Else Streamlit lists this directory until streamlit_app.py has run once. Two pages that find the server started again at
    the same moment would run past `uses_navigation`, one of them without the others' frame and storage.
    """
    PagesManager.uses_pages_directory = False


def uses_navigation() -> bool:
    """Whether `st.navigation` decides which pages there are.

    Until streamlit_app.py has run once, a visit to /photo makes Streamlit list every file in this directory as a page.
    The first call then returns False and corrects that for the next run.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        return False
    return True


def drop_upload(file: UploadedFile) -> None:
    """Drops Streamlit's copy of an uploaded file, which it would keep until the session ends."""
    context = get_script_run_ctx()
    if context is not None:
        manager = cast(MemoryUploadedFileManager, context.uploaded_file_mgr)  # the only kind that there is
        manager.remove_file(context.session_id, file.file_id)


def uploads(key: str) -> list[UploadedFile]:
    """The files in the uploader or camera of this key.

    A click during the run that took a file calls the uploader's callback again. Then the value is no file any more.
    """
    value = st.session_state.get(key) or []
    return [file for file in (value if isinstance(value, list) else [value]) if isinstance(file, UploadedFile)]


def media_path(data: bytes, mime: str, name: str) -> str:
    """Has Streamlit serve a file to this session from memory, until a run no longer asks for it.

    A component needs the address of a large picture: in its data, the picture would be sent again at every change.

    Args:
        data: The file's bytes.
        mime: Its media type.
        name: Of its place on the page. Another file with this name replaces it.

    Returns:
        The path of its address, below the app's.
    """
    if not runtime.exists():
        return ""
    return runtime.get_instance().media_file_mgr.add(data, mime, name)


def _clear_without_answers(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, *others: object, **more: object
) -> None:
    # A run that starts drops what an earlier run has not sent yet. The answer to a drop went with it: the dropped files
    # were never sent, and nobody was told.
    answers = [message for message in queue._queue if message.WhichOneof("type") == ANSWER]
    _clear(queue, retain_lifecycle_msgs, *others, **more)
    if retain_lifecycle_msgs:
        queue._queue = [*answers, *(message for message in queue._queue if message.WhichOneof("type") != ANSWER)]


def _is_no_json_and_dataframe_like(value: object) -> bool:
    # Our components are given dictionaries and lists. To see that these are no data frames, Streamlit would import pandas
    # and pyarrow: 66 MB.
    return not isinstance(value, dict | list) and _is_dataframe_like(value)
