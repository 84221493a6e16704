"""The characters that the text checkpoint writes, and its character tokenizer in Hugging Face's own format."""

import re
import unicodedata

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from hwr_core.decoding.struck import STRUCK
from training.data.languages import new_characters

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]  # in TrOCR's order: the decoder starts with </s>
# In the order of their tokens, which never changes: checkpoints were trained with it.
RELEASED = (
    "".join(chr(code) for code in range(32, 127))
    + "àâäæçéèêëîïôöœùûüÿÀÂÄÆÇÉÈÊËÎÏÔÖŒÙÛÜ"
    + "áíóúñãõåøìòßÁÍÓÚÑÅØ"
    + "«»°€£§²³½×÷±·¿¡–—→∞π"
    + "ÃÕÌÒŸªº"
    + "¼¾⅓⅔•☐☑①②③④⑤⑥⑦⑧⑨"
)
# New ones come last, so that a checkpoint of fewer characters can be gone on from.
CHARACTERS = RELEASED + new_characters(RELEASED)

# Handwriting does not tell these apart; the checkpoint writes the plain form.
FOLDED = str.maketrans(
    {
        "‘": "'", "’": "'", "ʼ": "'", "`": "'", "´": "'", "′": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "…": "...",
        "\u00a0": " ", "−": "-", "‐": "-", "‑": "-", "⁄": "/", "ĳ": "ij", "Ĳ": "IJ", "☒": "☑", "●": "•",
    }
)  # fmt: skip


def normalise(text: str) -> str:
    """`text` in NFC, with plain quotes and single spaces."""
    text = unicodedata.normalize("NFC", text).translate(FOLDED)
    return re.sub(r"\s+", " ", text).strip()


def close_up(text: str) -> str:
    """IAM-OnDB's transcripts put a space before punctuation that nobody wrote (`Mr . Gaitskell`)."""
    return re.sub(r"\s+([.,;:!?)])", r"\1", text)


def join_apostrophes(text: str) -> str:
    """They are as inconsistent about `Foot ' s` and `don ' t`; a checkpoint trained on that would write it."""
    return re.sub(r"(\w) ?' ?(s|t|re|ll|ve|d|m)\b", r"\1'\2", text)


def build_tokenizer() -> PreTrainedTokenizerFast:
    """One token a character; `<s>` and `</s>` round the line, as RoBERTa's tokenizer puts them for TrOCR."""
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *CHARACTERS, STRUCK])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    return as_trocr(tokenizer)


def build_bpe_tokenizer(sentences: list[str], size: int) -> PreTrainedTokenizerFast:
    """Byte-pair encoding (Sennrich et al. 2016) over the same characters, `size` tokens; a word's space is its first letter."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?[^\s\d]+| ?\d| "), "isolated")
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL,
        initial_alphabet=list(CHARACTERS),
        limit_alphabet=len(CHARACTERS),
        show_progress=False,
    )
    tokenizer.train_from_iterator((text for text in sentences if set(text) <= set(CHARACTERS)), trainer)
    return as_trocr(tokenizer)


def as_trocr(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
