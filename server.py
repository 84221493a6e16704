"""The whole server: the pages, and the API at /api, in one process on the same checkpoints. `streamlit run server.py`."""

import streamlit as st
from starlette.routing import Mount

from hwr_core.runtime.memory import keep_heaps_few
from hwr_core.server.api import create_api

keep_heaps_few()
app = st.App("streamlit_app.py", routes=[Mount("/api", create_api())])
