"""What the app changes in Streamlit."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.shared import streamlit_patches


@pytest.mark.parametrize("fragments", [None, ["fragment"]])
def test_the_answer_to_a_drop_of_files_outlives_the_start_of_a_run(fragments):
    streamlit_patches.apply()
    queue, answer, element = ForwardMsgQueue(), ForwardMsg(), ForwardMsg()
    answer.file_urls_response.response_id = "the drop"
    element.delta.new_element.text.body = "of the earlier run"
    element.delta.fragment_id = "fragment"
    for message in (element, answer):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=fragments)
    assert queue.flush() == [answer]
    assert len(queue) == 0
