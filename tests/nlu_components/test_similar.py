"""Likeness of texts, and templates."""

from nlu.evaluation.similar import alike, normal, skeletons


def test_case_punctuation_and_apostrophes_do_not_count():
    assert normal("I'm LOCKED out, please!") == normal("im locked  out please")
    assert normal("I\u2019m") == "im"
    assert normal(" ?? ") == "??" != normal("...")


def test_order_of_words_does_not_count_and_letters_do():
    texts = ["unlock my account please", "please unlock my account", "please unlock my acount", "what is the weather"]
    assert set(alike(texts[:1], texts, 90)) == {(0, 0, 100), (0, 1, 100), (0, 2, 98)}


def test_more_texts_than_are_compared_at_a_time():
    texts = [f"{number:05}" for number in range(2500)]
    assert list(alike(texts, texts, 100)) == [(number, number, 100) for number in range(2500)]


def test_skeletons():
    found = skeletons(["open the box", "open the door", "Open the door!", "shut the box", "the box"])
    assert found["open the …"] == [0, 1]
    assert found["… the box"] == [0, 3]
    assert all("the box" in text or len(text.split()) == 3 for text in found)
