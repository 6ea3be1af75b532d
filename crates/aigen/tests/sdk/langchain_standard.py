"""LangChain's standard tests of a chat model, over langchain-openai, unmodified.

OPENAI_BASE_URL and OPENAI_API_KEY are read by the library itself.
"""

import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests


class TestChatCompletions(ChatModelIntegrationTests):
    @property
    def chat_model_class(self):
        return ChatOpenAI

    @property
    def chat_model_params(self):
        return {"model": "scripted", "temperature": 0, "stream_usage": True, "max_retries": 0}

    @property
    def model_override_value(self):
        return "scripted"

    @property
    def supports_json_mode(self):
        return True

    @property
    def has_tool_choice(self):
        return True


class TestResponses(TestChatCompletions):
    @property
    def chat_model_params(self):
        return {"model": "scripted", "temperature": 0, "max_retries": 0, "use_responses_api": True}

    @pytest.mark.xfail(reason="`/v1/responses` has no stop sequences, at OpenAI's either")
    def test_stop_sequence(self, model):
        super().test_stop_sequence(model)
