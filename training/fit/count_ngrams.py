"""Counts a checkpoint's language model and puts it beside its weights: `python -m training.fit.count_ngrams models/text`, or `models/math`.

Of text: transcripts of training lines, sentences of seven languages broken into lines, lines of forms, invented texts, and
wordfreq's words. Each language has a model of its own, of its part of these and of the sentences of the packages that its
file names. Of formulas: CROHME's for training, the given ones,
invented ones. No validation data. The model holds n-grams of the checkpoint's tokens, characters or LaTeX's. `--bits`
measures one that is counted without every fifteenth text on these texts and on validation transcripts.
"""

import argparse
import random
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL
from hwr_core.decoding.language_model import LanguageModel, NgramTables
from hwr_core.decoding.latex_grammar import Grammar
from training.data import datasets as data
from training.data import text_packages
from training.data.charset import SPECIAL, STRUCK, close_up
from training.data.crohme import crohme
from training.data.languages import LANGUAGES
from training.data.word_frequencies import Vocabulary, fetch
from training.evaluation import results
from training.evaluation.results import Cell, Table
from training.fit.ngrams import END, Ngrams, Text, coded, count, interpolate, save
from training.synthesis.formula_texts import given, school
from training.synthesis.phrases import Phrases

ORDER = 6  # tokens of the longest n-grams
# By length the weighted count below which n-grams are left out, times the least of `STEPS` that leaves no more than
# the most n-grams: of formulas, and of all languages, by their shares of the drawn texts.
FEWEST = {4: 1.1, 5: 1.9, 6: 2.9}
STEPS = [0.5 * 1.15**power for power in range(30)]
MOST_FORMULAS, MOST_LANGUAGES = 300_000, 4_600_000
STRUCK_SHARE = 0.02  # of the invented texts: a word of them is struck out
INVENTED = 60_000  # texts of the kinds that people write first
PACKAGES = {"@": 1.0, "": 0.3}  # weights of sentences of npm's packages, and of Debian's, which are technical
COMMON = 300  # a language's most frequent words, which tell it
INVENTED_OF_LANGUAGE = 15_000  # the same of each language
CAPITALS = 0.15  # weight of every text a second time, in capitals: transcripts have few
CROHME, GIVEN, SCHOOL = 1.0, 0.3, 0.1  # weights of formulas
SCRIBBLES = 800  # empty formulas: a scribble reads as nothing
MOST_FREQUENT, LEAST_FREQUENT = 30.0, 0.15  # weights of a vocabulary's most frequent word, and the least of any
WIDTHS = 20, 70  # characters of a line of a broken sentence
HELD_OUT = 15  # `--bits` leaves out one distinct text in so many of each source,
MOST_HELD_OUT = 400  # texts, and at most as many
SCANS = "scans"  # in the name of a source: transcripts that are drawn too

Corpus = dict[str, list[str]]  # source → lines; a source's name starts with its language


def corpus(seed: int = 1) -> Corpus:
    """Loads the lines of text to count. Invented lines and words are added by `texts`."""
    rng = random.Random(seed)
    sources = {
        "en, IAM-OnDB": [close_up(line.text) for line in data.iam_ondb("train")],
        "en, quotations": broken(data.english(), rng),
    }
    for code, language in LANGUAGES.items():
        if language.transcripts:
            sources[f"{code}, {SCANS}"] = transcripts(*language.transcripts)
        sources |= {f"{code}, {name}": transcripts(own) for name, own in language.counted.items()}
    sources |= {"numbers": transcripts("numbers"), "forms": data.form_lines()}
    return sources | {f"{language}, sentences": broken(texts, rng) for language, texts in data.sentences().items()}


def transcripts(*names: str) -> list[str]:
    return [line.text for name in names for line in data.scans(name, "train")]


def broken(texts: Iterable[str], rng: random.Random) -> list[str]:
    """Texts broken into lines, each text of another width."""
    return [part for text in texts for part in textwrap.wrap(text, rng.randint(*WIDTHS))]


def texts(
    sources: Corpus, vocabularies: dict[str, Vocabulary], invented: int = INVENTED, seed: int = 1
) -> Iterator[Text]:
    """Every text to count: the lines, `invented` lines made from them, and the words of all languages."""
    for name, lines in sources.items():
        for line in lines:
            yield from cases(line, weight_of(name))
    phrases = Phrases(by_language(sources), vocabularies, random.Random(seed), sources["forms"])
    rng = random.Random(seed)
    for _ in range(invented):
        text = phrases.everyday()
        yield Text(with_struck_word(text, rng) if rng.random() < STRUCK_SHARE else text)
    for vocabulary in vocabularies.values():
        yield from words(vocabulary)


def texts_of(
    code: str, sources: Corpus, vocabularies: dict[str, Vocabulary], downloads: Path, seed: int = 1
) -> Iterator[Text]:
    """The texts of one language: its part of `texts`, and the sentences of its packages."""
    own = {name: lines for name, lines in sources.items() if name.startswith(f"{code}, ") or "," not in name}
    words_of = {code: vocabularies[code]} if code in vocabularies else {}
    yield from texts(own, words_of, INVENTED_OF_LANGUAGE, seed)
    common = {other: frozenset(vocabulary.words[:COMMON]) for other, vocabulary in vocabularies.items()}
    for package in LANGUAGES[code].packages:
        weight = next(weight for sign, weight in PACKAGES.items() if sign in package)
        found = (text for text in text_packages.sentences(package, downloads) if is_in(text, code, common))
        for line in broken(found, random.Random(seed)):
            yield Text(line, weight)


def is_in(text: str, code: str, common: Mapping[str, frozenset[str]]) -> bool:
    """Whether a text is in this language: no other has more of its words among its common ones. Translations have gaps."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    found = {other: sum(word in own for word in words) for other, own in common.items()}
    return found.get(code, 0) >= max(found.values(), default=0)


def with_struck_word(text: str, rng: random.Random) -> str:
    """The text with one of its words struck out."""
    words = text.split(" ")
    place = rng.randrange(len(words))
    return " ".join([*words[:place], words[place] + STRUCK, *words[place + 1 :]])


def weight_of(source: str) -> float:
    """The weight of a source's lines."""
    code, _, kind = source.partition(", ")
    return LANGUAGES[code].transcripts_weight if kind == SCANS else 1.0


def by_language(sources: Corpus) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, lines in sources.items():
        if "," in name:
            found.setdefault(name[:2], []).extend(lines)
    return found


def cases(text: str, weight: float) -> Iterator[Text]:
    yield Text(text, weight)
    yield Text(text.upper(), weight * CAPITALS)


def words(vocabulary: Vocabulary) -> Iterator[Text]:
    """A language's words between spaces, frequent ones with more weight."""
    shares = np.diff(vocabulary.cumulative, prepend=0) / vocabulary.cumulative[0]
    for word, share in zip(vocabulary.words, shares.tolist(), strict=True):
        weight = max(LEAST_FREQUENT, MOST_FREQUENT * share)
        yield Text(f" {word} ", weight, whole=False)
        yield Text(f" {word.capitalize()} ", weight * 0.3, whole=False)
        yield Text(f" {word.upper()} ", weight * CAPITALS, whole=False)


def formulas(known: set[str], seed: int = 1) -> Iterator[Text]:
    """Yields the formulas to count that have only these tokens."""
    rng = random.Random(seed)
    for formula in crohme("train"):
        yield Text(formula.tokens, CROHME)
    for tokens in given(Grammar([*SPECIAL, *sorted(known)], END, range(len(SPECIAL)))):
        yield Text(tokens, GIVEN)
    for _ in range(INVENTED // 4):
        yield Text(school(rng), SCHOOL)
    for _ in range(SCRIBBLES):
        yield Text([])


def counted_text(
    sources: Corpus, vocabularies: dict[str, Vocabulary], downloads: Path, tokens: Sequence[str]
) -> NgramTables:
    """The n-grams of text over these tokens, in the order of their ids, language by language."""
    every = sum(language.share for language in LANGUAGES.values())
    found = {}
    for code, language in (progress := tqdm(LANGUAGES.items(), "counting")):
        progress.set_postfix_str(code)
        most = round(MOST_LANGUAGES * language.share / every)
        found[code] = tables(texts_of(code, sources, vocabularies, downloads), tokens, most)
    return coded(found, len(tokens))


def tables(lines: Iterable[Text], tokens: Sequence[str], most: int) -> list[Ngrams]:
    """The smoothed n-grams of each length, at most about so many."""
    ids = {token: index for index, token in enumerate(tokens) if token not in SPECIAL}
    counts = count(lines, ids, ORDER, len(tokens))
    for step in STEPS:
        fewest = {length: least * step for length, least in FEWEST.items()}
        if sum(int((seen >= fewest.get(length, 0)).sum()) for length, (_, seen) in enumerate(counts, 1)) <= most:
            break
    return interpolate(counts, len(tokens), fewest)


def tokens_of(checkpoint: Path) -> list[str]:
    """A checkpoint's tokens in the order of their ids."""
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    return [tokenizer.id_to_token(index) or "" for index in range(tokenizer.get_vocab_size())]


def held_out(sources: Corpus, seed: int = 5) -> tuple[Corpus, Corpus]:
    """The corpus without some texts of each source, and these texts."""
    kept, left_out = {}, {}
    for name, lines in sources.items():
        distinct = sorted(set(lines))
        out = set(random.Random(seed).sample(distinct, min(MOST_HELD_OUT, len(distinct) // HELD_OUT)))
        kept[name] = [line for line in lines if line not in out]
        left_out[name] = sorted(out)
    return kept, left_out


def validation() -> Corpus:
    """Transcripts of validation lines."""
    ink = [close_up(line.text) for split in ("val_v", "val_t") for line in data.iam_ondb(split)]
    names = {"fr, Copiste": "copiste", "de, DHSD": "dhsd", "fr, tables": "tables", "numbers": "numbers"}
    found = {"en, IAM-OnDB": ink} | {
        name: [line.text for line in data.scans(own, "val")] for name, own in names.items()
    }
    return {f"{name}, validation": lines for name, lines in found.items()}


def bits(model: LanguageModel, tokens: Sequence[str], lines: Iterable[str]) -> float:
    """Bits per character, the end of each line among them; lines with other characters are left out."""
    ids = {token: index for index, token in enumerate(tokens) if token not in SPECIAL}
    total, characters = 0.0, 0
    for line in lines:
        if set(line) <= ids.keys():
            written = np.array([*(ids[character] for character in line), END])
            own = model.for_lines([int(model.in_each_language(written[:-1].tolist()).argmax())])
            contexts = own.along(own.start(1), written[:-1].tolist())
            total -= float(model.score(contexts, written[:, None]).sum())
            characters += len(written)
    return total / np.log(2) / characters


def measure(checkpoint: Path, vocabularies: dict[str, Vocabulary], downloads: Path) -> Table:
    """Bits per character of a model counted without the texts it is measured on, and of the checkpoint's own file."""
    tokens = tokens_of(checkpoint)
    kept, left_out = held_out(corpus())
    model = LanguageModel(counted_text(kept, vocabularies, downloads, tokens))
    own = LanguageModel.load(checkpoint / LANGUAGE_MODEL, tokens, END)
    measured = {name: lines for name, lines in left_out.items() if name != "numbers"} | validation()
    rows: list[list[Cell]] = [
        [name, len(lines), *(round(bits(one, tokens, lines), 3) for one in (model, own))]
        for name, lines in measured.items()
    ]
    rows.append(["n-grams", None, len(model), len(own)])
    columns = ["texts", "lines", "counted now, bits per character", "the checkpoint's file, bits per character"]
    return Table("", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--downloads", type=Path, default=Path("runs/downloads"))
    parser.add_argument(
        "--out", type=Path, help="the file to write, instead of the one beside the checkpoint's weights"
    )
    parser.add_argument("--bits", action="store_true", help="text: measures, and leaves the checkpoint as it is")
    parser.add_argument("--results", type=Path, metavar="PATH", help="writes the table of --bits into this file")
    arguments = parser.parse_args()
    tokens = tokens_of(arguments.checkpoint)
    known = set(tokens) - set(SPECIAL)
    of_formulas = r"\frac" in known
    if not of_formulas and any(len(token) != 1 for token in known):
        parser.error("The checkpoint's tokens must be characters or LaTeX's.")
    vocabularies = {} if of_formulas else fetch(arguments.downloads)
    if arguments.bits:
        table = measure(arguments.checkpoint, vocabularies, arguments.downloads)
        print(table.markdown())
        if arguments.results:
            results.save(
                [table],
                arguments.results,
                f"Tokens of {arguments.checkpoint}. The counted model has not seen the texts it is measured on.",
            )
        return
    if of_formulas:
        ngrams = coded({"": tables(formulas(known), tokens, MOST_FORMULAS)}, len(tokens))
    else:
        ngrams = counted_text(corpus(), vocabularies, arguments.downloads, tokens)
    path = arguments.out or arguments.checkpoint / LANGUAGE_MODEL
    save(ngrams, tokens, path)
    print(f"{len(ngrams):,} n-grams of up to {ngrams.order} tokens, {path.stat().st_size / 1e6:.1f} MB in {path}")


if __name__ == "__main__":
    main()
