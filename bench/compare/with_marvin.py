import os

os.environ.setdefault("MARVIN_DATABASE_URL", "sqlite+aiosqlite://")
os.environ.setdefault("OPENAI_API_KEY", "none")
os.environ.setdefault("MARVIN_LOG_LEVEL", "ERROR")
os.environ.setdefault("MARVIN_ENABLE_DEFAULT_PRINT_HANDLER", "false")

import marvin
from cases import play
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from typing import Literal
from pydantic import BaseModel, Field


def make(url):
    marvin.defaults.model = OpenAIChatModel("tiny", provider=OpenAIProvider(base_url=url, api_key="none"))

    # begin
    class Sentiment(BaseModel):
        polarity: Literal["positive", "negative", "neutral"]
        sarcasm: bool
        evidence: str = Field(min_length=1, max_length=80)

    @marvin.fn
    def judged(context: str, text: str) -> Sentiment:
        """Judge the sentiment of `text`, given its `context`. Sarcasm flips polarity."""

    def sentiment(context: str, text: str) -> Sentiment:
        value = judged(context, text)
        if value.evidence not in text:
            raise ValueError("it is not in the text")
        return value
    # end

    return sentiment


if __name__ == "__main__":
    play(make)
