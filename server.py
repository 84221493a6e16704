"""The server: the pages, and the API at `/api`, in one process on the same checkpoints. `hwr serve` starts it."""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.routing import Mount
from streamlit import config

from hwr_core.errors import SettingsError
from hwr_core.runtime.log import configure_logging, format_others_as_json, log_unexpected
from hwr_core.runtime.memory import keep_heaps_few
from hwr_core.runtime.settings import settings
from hwr_core.server.api import close_workers, create_api
from pages.hand.run import remove_folders
from pages.shared.streamlit_patches import list_no_directory

logger = logging.getLogger("server")


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Ends the API's threads when the server stops: a mounted application's own lifespan is not run."""
    if settings().log_format == "json":
        format_others_as_json()
    logger.info("The server has started")
    async with close_workers(api):
        yield
    remove_folders()
    logger.info("The server has stopped")


def report(error: Exception) -> bool:
    """Logs a bug of a page and tells the visitor that there is one. Returns True: Streamlit shows nothing else."""
    log_unexpected(logger, "A page", error)
    st.error("Internal error. Reload the page; the server's log says where it failed.", icon=":material/error:")
    return True


keep_heaps_few()
list_no_directory()
try:
    configure_logging(settings().log_level or "INFO", settings().log_format == "json")
except SettingsError as error:
    sys.exit(str(error))
# Streamlit logs a page's exception with its message, which may quote an upload.
logging.getLogger("streamlit.error_util").disabled = True
api = create_api()
base = config.get_option("server.baseUrlPath").strip("/")
app = st.App(
    Path(__file__).with_name("streamlit_app.py"),
    routes=[Mount(f"/{base}/api" if base else "/api", api)],
    lifespan=lifespan,
    on_script_error=report,
)
