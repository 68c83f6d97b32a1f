"""What is sent to a chat API and what is understood of it.

The first tests are the contract with any endpoint: SWE_CHAT_API_URL is its base, SWE_CHAT_API_MODEL the model, and
SWE_CHAT_API_KEY the key if it wants one. Without them a stand-in is asked.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_artifact_endpoint import certificates
from fake_chat_api import MODEL, Body, FakeChatApi, document, events, redirect, said_events, silent, status
from generation_world import generate_document

from swe_workloads.generation import chat_client
from swe_workloads.generation.api_key import ApiKey
from swe_workloads.generation.chat_client import ChatClient
from swe_workloads.generation.generate_file import GenerateFile
from swe_workloads.generation.misconfigured import misconfigured
from swe_workloads.generation.refusals import Refused, TryAgain

KEY = "sk-0123456789abcdef"
PROMPT = "Count from one to a hundred in words."
ClientMaker = Callable[..., ChatClient]


@pytest.fixture
def any_api(chat_api: FakeChatApi) -> ClientMaker:
    """A client of the endpoint that the environment names, else of the stand-in."""
    named = os.environ.get("SWE_CHAT_API_URL")
    key = ApiKey(os.environ.get("SWE_CHAT_API_KEY") if named else None)
    model = os.environ.get("SWE_CHAT_API_MODEL", MODEL) if named else MODEL
    return lambda **changes: client(named or chat_api.url, **{"key": key, "model": model, **changes})


@pytest.fixture
def asked(chat_api: FakeChatApi) -> ClientMaker:
    return lambda **changes: client(chat_api.url, **changes)


def client(url: str, key: ApiKey | None = None, model: str = MODEL, **sampling: Any) -> ChatClient:
    spec = generate_document(Path("/rows.jsonl"), url)
    spec["model"]["name"] = model
    spec["sampling"] |= {"maxTokens": 8, **sampling}
    spec["limits"]["requestSeconds"] = 300
    return ChatClient(GenerateFile.model_validate(spec), key or ApiKey(None))


def refusal_of(it: ChatClient) -> Refused:
    with pytest.raises(Refused) as caught:
        it.ask(PROMPT, 1)
    return caught.value


def test_an_answer_has_text_the_reason_for_its_end_and_its_tokens(any_api: ClientMaker) -> None:
    answer = any_api().ask(PROMPT, 1)
    assert answer.text
    assert answer.finish_reason in ("stop", "length")
    assert answer.prompt_tokens > 0
    assert 0 < answer.completion_tokens <= 10


def test_an_answer_that_reaches_the_most_tokens_says_so(any_api: ClientMaker, chat_api: FakeChatApi) -> None:
    chat_api.finish_reason = "length"
    assert any_api(maxTokens=2).ask(PROMPT, 1).finish_reason == "length"


def test_seeds_and_stops_are_taken(any_api: ClientMaker) -> None:
    it = any_api(stop=["hundred"], temperature="1.5", topP="0.9")
    assert it.ask(PROMPT, 2**31 - 1).prompt_tokens == it.ask(PROMPT, 0).prompt_tokens


def test_a_model_that_does_not_exist_is_said_to(any_api: ClientMaker) -> None:
    problem = misconfigured(refusal_of(any_api(model="nobody/has-this")))
    assert "spec.generation.model.endpoint.model" in problem.message


def test_a_key_that_is_not_the_api_s_is_refused(any_api: ClientMaker, chat_api: FakeChatApi) -> None:
    if os.environ.get("SWE_CHAT_API_URL") and not os.environ.get("SWE_CHAT_API_KEY"):
        pytest.skip("the endpoint takes any key")
    chat_api.key = KEY
    problem = misconfigured(refusal_of(any_api(key=ApiKey("sk-somebody-else-s"))))
    assert problem.is_of_endpoint and "apiKeySecretRef" in problem.message


def test_a_request_says_what_the_specification_says(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    asked(stop=["END"], topP="0.5", temperature="0", key=ApiKey(KEY)).ask(PROMPT, 7)
    assert chat_api.asked == [
        {
            "model": MODEL,
            "messages": [{"role": "user", "content": PROMPT}],
            "temperature": 0.0,
            "top_p": 0.5,
            "max_tokens": 8,
            "seed": 7,
            "stop": ["END"],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert chat_api.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_no_stops_and_no_key_are_not_sent(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    asked().ask(PROMPT, 7)
    assert "stop" not in chat_api.asked[0]
    assert "Authorization" not in chat_api.headers[0]


def test_an_api_that_knows_fewer_fields_is_asked_without_them(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    chat_api.refused_fields = ("stream_options",)
    it = asked()
    assert it.ask(PROMPT, 1).text == it.ask(PROMPT, 1).text
    assert ["stream_options" in body for body in chat_api.asked] == [True, False, False]


def test_an_api_with_another_name_for_the_most_tokens_is_understood(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    chat_api.faults = [status(400, words)]
    it = asked()
    it.ask(PROMPT, 1)
    it.ask(PROMPT, 2)
    assert [body.get("max_completion_tokens") for body in chat_api.asked] == [None, 8, 8]
    assert [body.get("max_tokens") for body in chat_api.asked] == [8, None, None]


def test_a_limit_that_is_too_large_is_no_other_name(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    words = "'max_tokens' or 'max_completion_tokens' is too large: 8. This model's maximum context length is 4 tokens."
    chat_api.faults = [status(400, words)]
    assert refusal_of(asked()).about == "Length"
    assert len(chat_api.asked) == 1


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "Input is too long for requested model.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        "the request exceeds the available context size, try increasing it",
        "Please reduce the length of the messages or completion.",
        "Requested token count exceeds the model's maximum context length of 4096 tokens.",
    ],
)
def test_every_server_s_words_for_a_prompt_that_is_too_long_are_known(words: str) -> None:
    assert Refused(400, words).about == "Length"


@pytest.mark.parametrize(
    "words", ["temperature must be at most 2", "Unknown field seed", "The model does not exist", "invalid JSON body"]
)
def test_other_words_are_about_the_request(words: str) -> None:
    assert Refused(400, words).about == "Request"


def test_an_api_without_streams_is_understood(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    choice = {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "length"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    chat_api.faults = [document({"choices": [choice], "usage": usage})]
    answer = asked().ask(PROMPT, 1)
    assert (answer.text, answer.finish_reason, answer.prompt_tokens, answer.completion_tokens) == (
        "yes",
        "length",
        3,
        4,
    )


def test_a_stream_may_end_without_its_last_word_and_without_figures(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    chat_api.says_done = False
    assert asked().ask(PROMPT, 1).finish_reason == "stop"
    chat_api.faults = [said_events(*[*events("yes", "stop")][:-1])]
    answer = asked().ask(PROMPT, 1)
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("yes", 0, 0)


def test_comments_other_fields_and_line_ends_of_a_stream_are_passed_over(
    asked: ClientMaker, chat_api: FakeChatApi
) -> None:
    content = (
        b": PROCESSING\r\n\r\nevent: message\r\nid: 1\r\n"
        b'data:{"choices":[{"delta":{"content":"y\xc3\xa4"}}],"usage":null}\r\n\r\n'
        b'data: {"choices":[{"delta":{"content":"s","reasoning_content":"hm"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n"
    )
    chat_api.faults = [document(content, "text/event-stream")]
    assert asked().ask(PROMPT, 1).text == "yäs"


def test_a_refusal_in_an_answer_is_kept(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    chat_api.faults = [said_events({"choices": [{"delta": {"refusal": "I will not."}, "finish_reason": "stop"}]})]
    assert asked().ask(PROMPT, 1).refusal == "I will not."


def test_no_redirection_is_followed(asked: ClientMaker, chat_api: FakeChatApi) -> None:
    elsewhere = FakeChatApi()
    chat_api.faults = [redirect(f"{elsewhere.url}/chat/completions")]
    problem = misconfigured(refusal_of(asked(key=ApiKey(KEY))))
    elsewhere.stop()
    assert elsewhere.asked == []
    assert "spec.generation.model.endpoint.url: the API leads elsewhere (HTTP 307)" in problem.message


def test_an_address_with_a_slash_at_its_end_is_the_same(chat_api: FakeChatApi) -> None:
    assert client(f"{chat_api.url}/").ask(PROMPT, 1).text


@pytest.fixture
def over_tls(tmp_path: Path) -> Iterator[FakeChatApi]:
    for name, content in certificates("an authority").items():
        (tmp_path / name).write_bytes(content)
    api = FakeChatApi(certificates=tmp_path)
    yield api
    api.stop()


def test_an_api_over_tls_is_asked_as_any_other(
    over_tls: FakeChatApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(chat_client, "SILENT_SECONDS", 0.3)
    over_tls.faults = [silent(2)]
    it = client(over_tls.url, key=ApiKey(KEY))
    with pytest.raises(TryAgain, match="silent for 0 s"):
        it.ask(PROMPT, 1)
    assert it.ask(PROMPT, 1).text
    assert over_tls.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_an_api_whose_certificate_nobody_has_signed_gets_no_key(over_tls: FakeChatApi) -> None:
    with pytest.raises(TryAgain, match="certificate verify failed"):
        client(over_tls.url, key=ApiKey(KEY)).ask(PROMPT, 1)
    assert over_tls.headers == []


def repeats_key(body: Body) -> str:
    return f"You sent Bearer {KEY}, and I say it again: {KEY}"


def test_an_api_that_repeats_the_key_gets_it_into_no_answer_and_no_error(
    asked: ClientMaker, chat_api: FakeChatApi
) -> None:
    it = asked(key=ApiKey(KEY))
    chat_api.answer = repeats_key
    assert it.ask(PROMPT, 1).text == "You sent Bearer [key], and I say it again: [key]"
    said = f"{'x' * 190} {KEY}"
    for fault in (
        status(500, said),
        status(400, said),
        said_events({"error": {"message": said}}),
        document(said.encode()),
    ):
        chat_api.faults = [fault]
        with pytest.raises((TryAgain, Refused)) as caught:
            it.ask(PROMPT, 1)
        assert KEY[:8] not in repr(caught.value) + str(caught.value) + str(caught.value.__dict__)
    assert KEY not in repr(ApiKey(KEY)) + str(ApiKey(KEY))


def test_a_placeholder_is_no_secret() -> None:
    assert ApiKey("EMPTY").hidden_in("an EMPTY list") == "an EMPTY list"
