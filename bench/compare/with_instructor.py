import instructor
from openai import OpenAI
from cases import play

from typing import Literal
from pydantic import BaseModel, Field, ValidationInfo, field_validator


def make(url):
    client = instructor.from_openai(OpenAI(base_url=url, api_key="none"))

    # begin
    class Sentiment(BaseModel):
        polarity: Literal["positive", "negative", "neutral"]
        sarcasm: bool
        evidence: str = Field(min_length=1, max_length=80)

        @field_validator("evidence")
        @classmethod
        def is_quoted(cls, value: str, info: ValidationInfo) -> str:
            if value not in info.context["text"]:
                raise ValueError("it is not in the text")
            return value

    def sentiment(context: str, text: str) -> Sentiment:
        return client.chat.completions.create(
            model="tiny",
            response_model=Sentiment,
            messages=[
                {"role": "system", "content": "Judge the sentiment of the text, given its context. Sarcasm flips polarity."},
                {"role": "user", "content": f"Context: {context}\nText: {text}"},
            ],
            context={"text": text},
            max_retries=2,
            temperature=0,
        )
    # end

    return sentiment


if __name__ == "__main__":
    play(make)
