"""Where the shipped checkpoints and the app's pages are: beside `hwr_core` in the repository, inside it when installed."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
MODELS = PACKAGE / "models" if (PACKAGE / "models").is_dir() else PACKAGE.parent / "models"
APP = (
    PACKAGE / "_app" if (PACKAGE / "_app").is_dir() else PACKAGE.parent
)  # holds server.py, streamlit_app.py and pages/
