"""Texts to draw: what people first write on a canvas (times, prices, addresses, names), and pieces of real sentences."""

import random
import string

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
MONTHS_FR = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"]
DAYS = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
]
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
]
DOMAINS = ["gmail.com", "example.org", "mail.fr", "web.de", "company.co.uk", "uni.edu", "free.fr", "outlook.com"]


class Phrases:
    """Draws texts from sentences of both languages; `sentences` are the training transcripts and the English corpus."""

    def __init__(self, sentences: list[str], rng: random.Random):
        self.rng = rng
        self.sentences = sentences
        self.words = sorted({w for s in sentences for w in s.split() if w.strip(string.punctuation).isalpha()})

    def draw(self) -> str:
        pick = self.rng.random()
        if pick < 0.45:
            return self.piece(1, 9)
        if pick < 0.60:
            return self.cased(" ".join(self.rng.choices(self.words, k=self.rng.randint(1, 4))))
        if pick < 0.85:
            return self.everyday()
        return f"{self.rng.choice(SHORT)} {self.everyday()}" if pick < 0.95 else self.rng.choice(SHORT)

    def piece(self, fewest: int, most: int) -> str:
        words = self.rng.choice(self.sentences).split()
        count = self.rng.randint(fewest, most)
        start = self.rng.randint(0, max(0, len(words) - count))
        return self.cased(" ".join(words[start : start + count]))

    def cased(self, text: str) -> str:
        pick = self.rng.random()
        return text.upper() if pick < 0.08 else text.title() if pick < 0.14 else text.capitalize() if pick < 0.2 else text

    def number(self, digits: int) -> str:
        return "".join(self.rng.choices(string.digits, k=digits))

    def everyday(self) -> str:
        r = self.rng
        kind = r.randrange(12)
        if kind == 0:
            return r.choice(
                [
                    f"{r.randint(0, 23)}:{r.randint(0, 59):02d}",
                    f"{r.randint(1, 12)}:{r.randint(0, 59):02d} {r.choice(['am', 'pm', 'AM', 'PM'])}",
                    f"{r.randint(0, 23)}h{r.randint(0, 59):02d}",
                ]
            )
        if kind == 1:
            separator = r.choice("/.-")
            return separator.join([f"{r.randint(1, 31):02d}", f"{r.randint(1, 12):02d}", str(r.randint(1900, 2030))])
        if kind == 2:
            return r.choice(
                [
                    f"{r.choice(MONTHS)} {r.randint(1, 31)}, {r.randint(1850, 2030)}",
                    f"{r.randint(1, 31)} {r.choice(MONTHS_FR)} {r.randint(1850, 2030)}",
                    f"{r.choice(DAYS)} {r.randint(1, 31)}",
                ]
            )
        if kind == 3:
            amount = f"{r.randint(0, 999)}{r.choice('.,')}{r.randint(0, 99):02d}"
            return r.choice(
                [f"${amount}", f"{amount} €", f"£{amount}", f"€{amount}", f"{amount}€", f"${r.randint(1, 99)},{self.number(3)}"]
            )
        if kind == 4:
            name = r.choice(self.words).lower().strip(string.punctuation)
            return f"{name}{r.choice(['', '.', '_', '-'])}{r.choice(['', self.number(2), r.choice(string.ascii_lowercase)])}@{r.choice(DOMAINS)}"
        if kind == 5:
            return r.choice(
                [
                    f"({self.number(3)}) {self.number(3)}-{self.number(4)}",
                    f"+{self.number(2)} {self.number(3)} {self.number(6)}",
                    f"0{self.number(1)} " + " ".join(self.number(2) for _ in range(4)),
                    f"{self.number(3)}-{self.number(4)}",
                ]
            )
        if kind == 6:
            return self.number(r.randint(1, 6))
        if kind == 7:
            return f"{r.randint(1, 999)} {r.choice(['+', '-', '=', '×', '÷', '/', '<', '>'])} {r.randint(1, 999)}"
        if kind == 8:
            return f"{r.randint(0, 100)}{r.choice(['%', '°', ' kg', ' km', ' m²', '°C', ' g', ' cm', 'th', '#'])}"
        if kind == 9:
            return f"{r.randint(1, 199)} {r.choice(self.words).title()} {r.choice(['Street', 'St.', 'Road', 'Ave', 'Lane', 'rue'])}"
        if kind == 10:
            return f"{r.choice(self.words).title()} {r.choice(self.words).title()}"
        return "".join(r.choices(string.ascii_uppercase + string.digits, k=r.randint(2, 7)))
