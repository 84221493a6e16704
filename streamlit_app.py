"""The app: declares the pages and runs the chosen one."""

import streamlit as st

from pages.drawing.page import draw_page
from pages.shared import browser_storage, streamlit_patches


def main() -> None:
    """Declares the pages and runs the chosen one."""
    streamlit_patches.apply()
    # No icons: the browser would fetch a Material icon from another host, and an emoji needs a font.
    draw = st.Page(draw_page, title="Draw", default=True)
    photo = st.Page("pages/photo.py", title="Photo")
    guide = st.Page("pages/help.py", title="Help")
    chosen = st.navigation([draw, photo, guide], position="top")
    browser_storage.load()  # below the navigation: an answer that came before it would open the first page
    with st.container(horizontal=True, gap="small", key="narrow_pages"):  # on a phone the top navigation is hidden
        for page in (draw, photo, guide):
            st.page_link(page)
    chosen.run()


main()
