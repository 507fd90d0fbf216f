import pytest
import tokenizers

from monitor.speech.decoding import CONTEXT_MOST, CONTEXT_STEP, Tokens
from monitor.speech.model_store import bundled_folder


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    file = bundled_folder() / "tokenizer.json"
    return Tokens(tokenizers.Tokenizer.from_file(str(file)), multilingual=False)


@pytest.mark.parametrize("text", ["I'm sorry, that's wrong.", "No.", "It is a well-known issue", "Hm... yes"])
def test_words_come_back_as_they_were_written(tokens: Tokens, text: str):
    ids = tokens.text(text.split())
    words = tokens.words(ids)
    assert " ".join(word for word, _, _ in words) == text
    assert words[0][1] == 0
    assert words[-1][2] == len(ids)


def test_a_mark_of_its_own_belongs_to_the_word_before(tokens: Tokens):
    assert [w for w, _, _ in tokens.words(tokens.text(["yes", "-", "please"]))] == ["yes-", "please"]
    assert tokens.words(tokens.text(["..."])) == []


def test_context_comes_in_whole_groups_so_that_prompts_can_share_a_batch(tokens: Tokens):
    for count in range(40):
        context = tokens.context(["yes"] * count)
        assert len(context) in {0, *(1 + n for n in range(CONTEXT_STEP, CONTEXT_MOST + 1, CONTEXT_STEP))}


def test_an_answer_begins_after_the_prefix_and_ends_at_the_first_control_token(tokens: Tokens):
    prefix, rest = tokens.text(["I", "am"]), tokens.text(["here"])
    assert tokens.answer([*prefix, *rest, tokens.end, *rest], prefix) == rest
    assert tokens.answer([*rest, tokens.end], prefix) == rest
    assert tokens.answer([tokens.end], []) == []


def test_a_prompt_has_the_order_that_whisper_was_trained_on(tokens: Tokens):
    prompt = tokens.prompt([1, 2], [3])
    assert prompt[:2] == [1, 2]
    assert prompt[2:-2] == tokens.start
    assert prompt[-1] == 3
