import os

from baml_client import b
from baml_client.types import Sentiment
from cases import play


def make(url):
    os.environ["MODEL_URL"] = url

    # begin
    def sentiment(context: str, text: str) -> Sentiment:
        value = b.JudgeSentiment(context, text)
        if value.evidence not in text:
            raise ValueError("it is not in the text")
        return value
    # end

    return sentiment


if __name__ == "__main__":
    play(make)
