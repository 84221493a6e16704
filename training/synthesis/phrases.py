"""Texts to draw: what people first write on a canvas (times, prices, addresses, names), and pieces of real sentences."""

import itertools
import random
import string
from collections.abc import Sequence

from training.data.languages import LANGUAGES
from training.data.word_frequencies import Vocabulary
from training.synthesis import signs

MONTHS = list(LANGUAGES["en"].months)
MONTHS_FR = list(LANGUAGES["fr"].months)
MONTHS_EU = [month for code, language in LANGUAGES.items() if code not in ("en", "fr") for month in language.months]
DAYS = [day for language in LANGUAGES.values() for day in language.days]
SHORT = [
    "hello",
    "Hello world",
    "hi there",
    "Thank you!",
    "thanks",
    "See you at",
    "Call me back",
    "Happy birthday",
    "Dear",
    "Yours",
    "Meet at",
    "Room",
    "No.",
    "Total",
    "Buy milk",
    "eggs, bread",
    "to do",
    "TODO",
    "OK",
    "yes",
    "no",
    "Bonjour",
    "Merci",
    "À demain",
    "Rendez-vous",
    "Tél.",
    "Page",
    "Chapter",
    "Invoice",
    "Good morning",
    "How are you?",
    "I love you",
    "test",
    "Test 1",
    "Dinner",
    "Lunch at",
    "Meeting",
    "Note",
    "Important",
    "Hôtel",
    "Café",
    "s'il vous plaît",
    "What's up?",
    "Who? Why? Where?",
    "Wow!",
    "Price:",
    "Name:",
    "E-mail:",
    "Wi-Fi:",
    "password",
    "Shopping list",
    "a.m.",
    "p.m.",
    "etc.",
    "e.g.",
    "i.e.",
    "P.S.",
    "vs.",
    "R & D",
    "Q&A",
    "Mr. & Mrs.",
    "#1",
    "C++",
    "A/B",
    "and/or",
    "w/o",
    "ASAP",
    "FYI",
    "OK!",
    "Fig. 2",
]
DOMAINS = [
    "gmail.com",
    "example.org",
    "mail.fr",
    "web.de",
    "company.co.uk",
    "uni.edu",
    "free.fr",
    "outlook.com",
    "yahoo.com",
    "orange.fr",
    "hotmail.com",
    "icloud.com",
    "gmx.net",
]
ENDINGS = ["com", "org", "net", "fr", "de", "co.uk", "edu", "io", "eu", "info", "gov", "us", "ca"]
FRESHENED = 0.6  # share of the pieces of sentences that get words of the vocabulary
LONGEST = 158  # characters of a line
MARKS = ["•", "•", "•", "☐", "☐", "☑", "→", "→", "-", "-", "*", "+", "–", "·"]
SIGNS = list('%/~+#&@<>{}()[]=*!?:;.,-_|$€£§°½¼¾⅓⅔→•☐☑×÷±«»"')
UNITS = [
    "mm",
    "cm",
    "m",
    "km",
    "g",
    "kg",
    "l",
    "ml",
    "h",
    "min",
    "s",
    "V",
    "W",
    "kW",
    "Hz",
    "bar",
    "px",
    "MB",
    "GB",
    "m²",
    "m³",
    "cm²",
    "km/h",
]


class Phrases:
    """Draws texts from sentences of each language, the training transcripts and the English corpus, and from its vocabulary."""

    def __init__(
        self,
        sentences: dict[str, list[str]],
        vocabularies: dict[str, Vocabulary],
        rng: random.Random,
        forms: Sequence[str] = (),
    ):
        self.rng, self.forms = rng, forms
        self.languages = list(sentences)
        least = min(language.share for language in LANGUAGES.values())
        self.shares = [LANGUAGES[code].share if code in LANGUAGES else least for code in self.languages]
        self.sentences, self.vocabularies = sentences, vocabularies
        lines = itertools.chain(*sentences.values())
        self.words = sorted({w for line in lines for w in line.split() if w.strip(string.punctuation).isalpha()})

    def draw(self) -> str:
        """One line, with a list's mark before it now and then."""
        text = " ".join(self.unmarked().split()) or self.draw()
        if self.rng.random() < 0.06:
            text = f"{self.mark()} {text}"
        return text[:LONGEST].strip()

    def mark(self) -> str:
        r = self.rng
        number = r.randint(1, 12)
        return r.choice(
            [
                r.choice(MARKS),
                r.choice(MARKS),
                r.choice(signs.CIRCLED),
                f"{number}.",
                f"{number})",
                f"({number})",
                r.choice("abcd") + ")",
            ]
        )

    def unmarked(self) -> str:
        pick = self.rng.random()
        if pick < 0.03:
            return self.piece(10, 30)
        if pick < 0.07:
            return self.little()
        if pick < 0.42:
            return self.piece(1, 9)
        if pick < 0.57:
            words = self.rng.choices(self.words, k=self.rng.randint(1, 4))
            return self.cased(self.vocabularies[self.language()].freshen(" ".join(words), self.rng, 0.7))
        if pick < 0.82:
            return self.everyday()
        if pick < 0.90:
            return " ".join(
                [
                    self.everyday(),
                    self.rng.choice(["-", "/", "&", "+", "at", "x", "=", ":", "and", "et", "@"]),
                    self.everyday(),
                ]
            )
        return f"{self.rng.choice(SHORT)} {self.everyday()}" if pick < 0.96 else self.rng.choice(SHORT)

    def piece(self, fewest: int, most: int) -> str:
        language = self.language()
        words = self.rng.choice(self.sentences[language]).split()
        count = self.rng.randint(fewest, most)
        start = self.rng.randint(0, max(0, len(words) - count))
        text = " ".join(words[start : start + count])
        if self.rng.random() < FRESHENED:
            text = self.vocabularies[language].freshen(text, self.rng)
        return self.cased(text)

    def language(self) -> str:
        return self.rng.choices(self.languages, self.shares)[0]

    def little(self) -> str:
        """A single character, or few: a letter, a sign, a short number."""
        r = self.rng
        pick = r.random()
        if pick < 0.3:
            return self.number(r.randint(1, 3))
        if pick < 0.7:
            return r.choice(string.ascii_letters + "ÄÖÜäöüßéàÉñìïœç")
        if pick < 0.8:
            return r.choice(SIGNS)
        return r.choice(
            [
                r.choice(signs.CIRCLED),
                f"{self.number(1)}.",
                f"{r.choice(string.ascii_uppercase)}{self.number(1)}",
                f"{self.number(2)}%",
                f"{r.choice(string.ascii_lowercase)})",
                f"{self.number(1)} {r.choice('xX')}",
                f"+{self.number(1)}",
                f"-{self.number(2)}",
            ]
        )

    def capitals(self) -> str:
        """A name or a word in capitals, to be written with its letters apart."""
        r = self.rng
        words = [self.word() for _ in range(r.choice([1, 1, 1, 2, 2, 3]))]
        text = " ".join(filter(None, words)).upper() or "X"
        return (
            text
            if r.random() < 0.8
            else r.choice(
                [self.number(r.randint(2, 8)), self.code(), f"{self.number(2)}.{self.number(2)}.{self.number(4)}"]
            )
        )

    def cased(self, text: str) -> str:
        pick = self.rng.random()
        return (
            text.upper() if pick < 0.24 else text.title() if pick < 0.29 else text.capitalize() if pick < 0.35 else text
        )

    def everyday(self) -> str:
        if self.forms and self.rng.random() < 0.22:
            return self.rng.choice(self.forms)
        kinds = [
            self.clock, self.date, self.date_in_words, self.price, self.email, self.phone, self.grouped, self.sum, self.quantity,
            self.address, self.name, self.code, self.count, self.website, self.inches, self.fraction, self.with_signs, self.percentage,
            self.with_signs, self.with_signs, self.sum, self.fraction,
        ]  # fmt: skip
        return self.rng.choice(kinds)()

    def inches(self) -> str:
        r = self.rng
        whole, part = r.randint(1, 96), r.choice(["", "", "", "½", "¼", "¾", " 1/2", " 3/8", " 5/8", "⅓", ".5"])
        feet = r.randint(1, 12)
        return r.choice([
            f"{feet}'{whole % 12}\"", f"{feet}' {whole % 12}\"", f'{whole}{part}"', f"{feet}'", f'{whole}{part}" x {r.randint(1, 60)}"', f"{feet} ft {whole % 12} in",
            f"{feet} ft", f'{whole}{part} in', f"{feet}' x {r.randint(4, 20)}'",
        ])  # fmt: skip

    def fraction(self) -> str:
        r = self.rng
        part = r.choice(list(signs.FRACTIONS))
        what = r.choice(
            [
                " cup",
                " cups",
                " tsp",
                " l",
                " kg",
                " h",
                " Tasse",
                " litre",
                " TL",
                "",
                "",
                "",
                f" {self.word().lower()}",
            ]
        )
        plain = f"{r.randint(1, 7)}/{r.choice([2, 3, 4, 5, 8, 10, 16])}"
        return r.choice(
            [
                f"{r.randint(1, 12)}{part}{what}",
                f"{r.randint(1, 9)} {part}{what}",
                f"{part}{what}",
                f"{r.randint(1, 5)} {plain}{what}",
                f"{plain}{what}",
            ]
        )

    def percentage(self) -> str:
        r = self.rng
        number = r.choice([str(r.randint(0, 100)), f"{r.randint(0, 99)}{r.choice('.,')}{r.randint(0, 9)}"])
        sign = r.choice(["", "", "+", "-", "~", "< ", "> ", "±", "~ "])
        return r.choice(
            [
                f"{sign}{number}%",
                f"{sign}{number} %",
                f"{number}% {self.word().lower()}",
                f"{self.word()} {sign}{number}%",
                f"({number}%)",
            ]
        )

    def with_signs(self) -> str:
        """Words and numbers joined by signs that sentences seldom have."""
        r = self.rng
        a, b = self.word(), self.word()
        n, m = str(r.randint(0, 500)), str(r.randint(0, 99))
        unit = r.choice(UNITS)
        return r.choice([
            f"{a} & {b}", f"{a} + {b}", f"{a}/{b}", f"{a} → {b}", f"{n} → {m}", f"→ {a}", f"~ {n}", f"~{n} {unit}", f"#{a.lower()}", f"#{m}", f"{a} @ {n}",
            f"< {n}", f"> {n} {unit}", f"{{{a}}}", f"{{{a.lower()}, {b.lower()}}}", f"[{a}]", f"({n})", f'"{a}"', f"«{a}»", f"§ {m}", f"§{m}", f"{a} = {n}", f"{n}°",
            f"{m}°C", f"-{m} °C", f"{n} {unit}", f"{a}: {n} {unit}", f"{a} #{m}", f"{a} - {b}", f"{a}_{b.lower()}", f"{n}/{m}", f"{a} (x{m})", f"{a} *", f"{a}...",
            f"{m} x {n}", f"{a}; {b}", f"{r.choice(signs.CIRCLED)} {a}", f"☐ {a}", f"☑ {a}", f"☐ {a} ☐ {b}", f"• {a}", f"{a} •  {b}".replace("  ", " "), f"{m}×{n}", f"{a}!",
            f"{a}?", f"±{m}", f"{a} <{b.lower()}>", f"{n} & {m}", f"{r.choice('£$€')} {m}", f"{r.choice('£$€')} {m}.{self.number(2)}", f"{{ {a.lower()} }}",
            f"{{{self.number(1)}, {m}}}", f"{{{self.letter()}, {self.letter()}}}", f"{{ {self.letter()} }}", f"§ {m} {self.letter()}", f"{self.letter()} {r.choice('<>+=→')} {m}",
            f"{self.letter()} {r.choice('<>+=→&')} {self.letter()}", f"{r.randint(1, 9)} {r.choice('+-x=<>÷')} {r.randint(1, 9)}", f"{a} {m} →", f"~ {m} {unit}", f"{n}/{unit}",
            f"{r.choice('£$€')}{m}.{self.number(2)}/{unit}", f"{r.choice('£$€')}{self.number(1)}",
        ])  # fmt: skip

    def letter(self) -> str:
        return self.rng.choice(string.ascii_letters)

    def number(self, digits: int) -> str:
        return "".join(self.rng.choices(string.digits, k=digits))

    def clock(self) -> str:
        hour, minute = self.rng.randint(0, 23), f"{self.rng.randint(0, 59):02d}"
        half = self.rng.choice(["am", "pm", "AM", "PM", "a.m."])
        return self.rng.choice(
            [f"{hour}:{minute}", f"{hour % 12 + 1}:{minute} {half}", f"{hour % 12 + 1} {half}", f"{hour}h{minute}"]
        )

    def date(self) -> str:
        r, separator = self.rng, self.rng.choice("/.-")
        day, month, year = r.randint(1, 31), r.randint(1, 12), r.randint(1900, 2035)
        return r.choice([
            separator.join([f"{day:02d}", f"{month:02d}", str(year)]), separator.join([str(month), str(day), str(year)]),
            f"{year}-{month:02d}-{day:02d}", separator.join([f"{day:02d}", f"{month:02d}", f"{year % 100:02d}"]),
        ])  # fmt: skip

    def date_in_words(self) -> str:
        r = self.rng
        day, year, month = r.randint(1, 31), r.randint(1750, 2035), r.choice(MONTHS)
        return r.choice([
            f"{month} {day}, {year}", f"{day} {r.choice(MONTHS_FR)} {year}", f"{r.choice(DAYS)} {day}", f"{month[:3]} {day}",
            f"{month[:3]}. {day}{r.choice(['th', 'st', 'nd', 'rd', ''])}", f"{day} {month} {year}", f"{r.choice(DAYS)}, {month} {day}",
            f"{day}. {r.choice(MONTHS_EU)} {year}", f"{day} {r.choice(MONTHS_EU)} {year}", f"{day} de {r.choice(MONTHS_EU)} de {year}",
        ])  # fmt: skip

    def price(self) -> str:
        r = self.rng
        whole = r.choice([str(r.randint(0, 999)), f"{r.randint(1, 99)},{self.number(3)}"])
        amount = r.choice([whole, f"{whole}{r.choice('.,')}{r.randint(0, 99):02d}"])
        return r.choice(
            [f"${amount}", f"{amount} €", f"£{amount}", f"€{amount}", f"{amount}€", f"£{amount}", f"{amount} $"]
        )

    def word(self) -> str:
        return self.rng.choice(self.words).strip(string.punctuation)

    def email(self) -> str:
        r = self.rng
        second = r.choice(["", "", self.number(r.randint(1, 3)), r.choice(string.ascii_lowercase), self.word()])
        name = f"{self.word().lower() if r.random() < 0.85 else self.word().title()}{r.choice(['', '.', '.', '_', '-'])}{second}".strip(
            ".-_"
        )
        if r.random() < 0.2:
            name = f"{r.choice(string.ascii_lowercase)}.{name}"
        return f"{name}@{r.choice(DOMAINS) if r.random() < 0.5 else f'{self.word().lower()}.{r.choice(ENDINGS)}'}"

    def website(self) -> str:
        start = self.rng.choice(["www.", "", "https://", "www."])
        return f"{start}{self.word().lower()}.{self.rng.choice(ENDINGS)}{self.rng.choice(['', '', '/' + self.word().lower()])}"

    def phone(self) -> str:
        n = self.number
        return self.rng.choice([
            f"({n(3)}) {n(3)}-{n(4)}", f"+{n(2)} {n(3)} {n(6)}", f"0{n(1)} " + " ".join(n(2) for _ in range(4)), f"{n(3)}-{n(4)}",
            f"{n(3)}-{n(3)}-{n(4)}", f"+1 ({n(3)}) {n(3)}-{n(4)}", f"0{n(3)} {n(3)} {n(3)}", f"+{n(2)} {n(2)} {n(6)}", f"({n(3)}) {n(4)} {n(4)}",
        ])  # fmt: skip

    def grouped(self) -> str:
        n = self.number
        return self.rng.choice(
            [
                n(self.rng.randint(1, 9)),
                f"{self.rng.randint(1, 99)},{n(3)},{n(3)}",
                f"{n(2)} {n(3)} {n(3)}",
                f"{n(1)}.{n(2)}",
            ]
        )

    def sum(self) -> str:
        a, b = self.rng.randint(1, 999), self.rng.randint(1, 999)
        operator = self.rng.choice(["+", "-", "=", "÷", "/", "<", ">"])
        return self.rng.choice([f"{a} {operator} {b}", f"{a} + {b} = {a + b}", f"{a % 20} x {b}", f"{a % 20} x ${b}"])

    def quantity(self) -> str:
        unit = self.rng.choice(
            ["%", "%", "°", " kg", " km", " m²", "°C", " g", " cm", "th", "#", " %", " ml", " eggs", " mm", "x"]
        )
        return f"{self.rng.randint(0, 500)}{unit}"

    def address(self) -> str:
        street = f"{self.rng.randint(1, 199)} {self.word().title()} {self.rng.choice(['Street', 'St.', 'Road', 'Ave', 'Lane', 'rue'])}"
        return self.rng.choice(
            [street, street, f"{self.word().title()}, {self.rng.choice(['NY', 'CA', 'TX', 'UK', ''])} {self.number(5)}"]
        )

    def name(self) -> str:
        title = self.rng.choice(["", "", "", "Dr. ", "Mr. ", "Mrs. ", "Ms. ", "M. ", "Mme "])
        initial = self.rng.choice(["", "", f"{self.rng.choice(string.ascii_uppercase)}. ", "O'", "Mc"])
        last = self.word()
        return f"{title}{self.word().title()} {initial}{last.upper() if self.rng.random() < 0.25 else last.title()}"

    def code(self) -> str:
        return "".join(self.rng.choices(string.ascii_uppercase + string.digits, k=self.rng.randint(2, 7)))

    def count(self) -> str:
        first = self.rng.choice(["No. ", "#", "Room ", "p. ", "x", "Nr. ", "n° ", "v"])
        return f"{first}{self.rng.randint(1, 999)}{self.rng.choice(['', '', 'A', 'b', 'C'])}"
