"""The whole server: the pages, and the API at /api, in one process on the same checkpoints. `streamlit run server.py`."""

import streamlit as st
from starlette.routing import Mount

from hwr_core.api import create_api
from hwr_core.memory import keep_heaps_few

keep_heaps_few()
app = st.App("streamlit_app.py", routes=[Mount("/api", create_api())])
