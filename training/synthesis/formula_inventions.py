r"""Invented formulas of the kinds that the given ones have few of: matrices, cases, systems, words, long sums, rare signs."""

import random
from collections.abc import Sequence

from hwr_core.decoding.latex import canonical

NUMBER_LENGTHS = (1, 1, 1, 2, 2, 2, 3, 3, 4)
FENCES = (("pmatrix", 40), ("bmatrix", 25), ("vmatrix", 20), ("matrix", 8), ("Bmatrix", 4), ("Vmatrix", 3))
SIZES = (
    (2, 2),
    (2, 2),
    (2, 2),
    (2, 2),
    (3, 3),
    (3, 3),
    (2, 1),
    (3, 1),
    (2, 3),
    (3, 2),
    (1, 2),
    (1, 3),
    (4, 4),
    (2, 4),
    (4, 1),
    (4, 2),
)
# Words that stand between and before formulas, in seven languages as far as their letters are there.
JOINING = (
    "or and or and if with where when then but ou et si avec donc oder und wenn mit also con se ou of en for to".split()
)
LEADING = (
    "if for otherwise Solve where when then else with such that let Let so since thus hence prove Find Show given Evaluate Simplify Factor for all "
    "and or pour sinon soit donc avec sonst mit falls aus para com quindi per voor dus als any Prove Calculate Expand is not in"
).split()
ENDING = ("otherwise", "else", "sinon", "sonst", "for all", "if", "elsewhere", "min", "max")
INEQUALITIES = ("<", ">", r"\leq", r"\geq", "=", r"\neq")
RELATIONS = (
    r"\in \notin \subset \subseteq \supset \supseteq \subsetneq \ll \gg \cong \simeq \prec \succ \sim \approx \equiv \propto \neq \leq \geq < > \rightarrow \Rightarrow "
    r"\leftarrow \leftrightarrow \Leftrightarrow \Leftarrow \mapsto \rightleftharpoons \perp \parallel \nmid \triangleq \models \vdash"
).split()  # fmt: skip
OPERATORS = (
    r"\cup \cap \setminus \wedge \vee \oplus \otimes \odot \star \bullet \circ \pm \mp \times \cdot \div + - *".split()
)
# As `SCHOOL` of `formula_texts`; B is a blackboard letter, X a relation, O an operator; ~ before a letter leaves it as it is.
SIGNS = (
    r"V \in B", r"V \notin B", r"\forall V \in B", r"\exists V \in B", r"\nexists V \in B : V ^ D < 0", r"\forall V \exists V : V X V", r"f : B \rightarrow B", r"B ^ n", r"B ^ {V \times V}",
    r"V \mapsto V ^ D", r"f : V \mapsto V", "V X V", "G X V", "V O V", "V O V O V", "V O V = V", "G O G", r"A \cup ~B \cap C", r"A \subseteq ~B", r"A \setminus ~B", r"A \cap ~B = \emptyset",
    r"\emptyset \subset A", r"| A \cup ~B | = | A | + | ~B | - | A \cap ~B |", r"\langle V , V \rangle", r"\langle V | V \rangle = D", r"\lfloor V \rfloor", r"\lceil V \rceil", r"\lfloor \frac{V}{D} \rfloor",
    r"\| V \|", r"\| V - V \| \leq G", r"\| \vec{V} \| ^ 2", r"\| V \| _ D", r"p \wedge q", r"\neg p \vee q", r"p \Rightarrow q", r"p \Leftrightarrow q", r"\neg ( p \wedge q )", r"p \vee \neg p",
    r"\oint V d V", r"\oint_C F d V", r"\iint V d V d V", r"\iint_{~D} f ( x , y ) d x d y", r"\iiint_V G d V", r"\int\limits_D^N V d V", r"\int_0^{\pi} \sin V d V", r"\int_{a}^{b} f ( V ) d V",
    r"\int_0^1 V ^ D d V", r"\int_{- N}^N V d V", r"\int_0^{\infty} e ^ {- V} d V", r"\int\limits_{0}^{2 \pi} \cos ^ 2 G d G", r"\int \sqrt{V + D} d V", r"\int \frac{D}{V} d V = D \ln | V | + C",
    r"\bigcup_{i = 1}^{n} V_i", r"\bigcap_{i = 1}^{n} V_i", r"\bigcup_{V \in V} V", r"\bigoplus_{i} V_i", r"\bigotimes_{i = 1}^n V_i", r"\prod_{V = D}^{N} V", r"\sum_{V \in V} V",
    r"\triangle A ~B C", r"\triangle V V V \cong \triangle V V V", r"\triangle A ~B C \sim \triangle ~D E F", r"\hbar G", r"E = \hbar G", r"\frac{\hbar ^ 2}{2 m}", r"\ell", r"V_{\ell}", r"\because V = D",
    r"\therefore V X V", r"A + ~B \rightleftharpoons C", r"V \uparrow", r"V \downarrow", r"\tilde{V}", r"\ddot{V}", r"\ddot{V} + G ^ 2 V = 0", r"\dot{V} = G V", r"\hat{V}", r"\Re ( z )", r"\Im z", r"\aleph_0",
    r"\nabla \cdot \vec{V}", r"\nabla \times \vec{V} = 0", r"\nabla ^ 2 V", r"\nabla f", r"\frac{\partial V}{\partial V} = G", r"\partial V", r"V ^ {\dagger}", r"V ^ {\star}", r"V ^ *", r"V ^ {\top} V",
    r"\kappa = D", r"\nu = \frac{V}{\lambda}", r"E = h \nu", r"\nu_V", r"\kappa_V", r"\iota", r"P ( A | ~B )", r"\frac{P ( A \cap ~B )}{P ( ~B )}", r"\mathbb{P} ( V = D )", r"\mathbb{E} [ V ]", r"\mathbb{1}_V",
    r"V \approx N . N", r"V \ll D", r"V \gg N", r"D \nmid N", "N ; N", "( N ; N )", "D + D = ?", "V = ?", r"\# V", r"\$ N", r"\$ N . N N", r"N \%", r"V \checkmark", r"V_1 , V_2 , \ldots , V_n", r"V_1 + \cdots + V_n",
    r"\{ V \in B : V X D \}", r"\{ V | V X V \}", r"\{ 1 , 2 , 3 , \ldots \}", r"( V , V ) \in B \times B", r"\sin 0", r"\cos 0", r"\sin 0 = 0", r"\cos 0 = 1", r"\tan 0", r"\sin ( 0 )", r"\cos ( 0 ) + \sin 0",
    r"\ln 0", r"\log 1 = 0", r"f ( 0 ) = D", r"e ^ 0 = 1", r"0 ^ 0", r"V ^ 0", r"\lim_{V \rightarrow 0} \frac{\sin V}{V} = 1", r"\lim_{V \rightarrow 0 ^ +} V", r"V X V X V", "P ( V )", "S = S_0", "c C", "x ~X", "~X = x + D", "s S + D",
    "| - N", "| + D", "| - D V", "| : D", "| : N", r"| \cdot D", r"| \div D", r"| \times D", "D : D", "V : V = D : D", "D )", "N )", "V )", "( D )", "( V )", "D .", "V .",
    "~V = v + v_0", "P ~V = n R T", "p = P", "U = u + D", "Z = z", "W = w s", "C = c_0 + c", r"S_n = \sum_{k = 1}^{n} s_k", "k K", "~O ( n )", "o ( V )", "~X_1 + x_1", "S_x", "x_S", "Y = a ~X + b", "y = Y + D", "P ( ~X = x )", "F_{~X} ( x )",
)  # fmt: skip
BLACKBOARD = ("R",) * 5 + ("N", "Z", "Q", "C") * 2 + ("P", "E", "F", "H", "K", "D")
VARIABLES = (
    "x" * 8
    + "y" * 4
    + "abcnmkztpquvw" * 2
    + "abcdefghijklmnopqrstuvwxyz"
    + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 2
    + "CKOPSUVWXZ"
)


class Inventor:
    """Draws formulas as canonical tokens. `greek` are the letters that a G stands for, `signs` all symbols to draw alone at times."""

    def __init__(self, greek: Sequence[str], signs: Sequence[str], words: Sequence[str]):
        self.greek, self.signs, self.words = greek, signs, words or ("word",)

    def filled(self, pattern: str, rng: random.Random) -> list[str]:
        """A pattern's N D V G B X O as numbers, digits, variables, …"""
        drawn = {
            "N": lambda: self.number(rng),
            "D": lambda: str(rng.randint(1, 9)),
            "V": lambda: rng.choice(VARIABLES),
            "G": lambda: rng.choice(self.greek),
            "B": lambda: rf"\mathbb{{{rng.choice(BLACKBOARD)}}}",
            "X": lambda: rng.choice(RELATIONS),
            "O": lambda: rng.choice(OPERATORS),
        }
        return [drawn[word]() if word in drawn else word for word in pattern.split()]

    def number(self, rng: random.Random) -> str:
        digits = rng.choice(NUMBER_LENGTHS)
        return " ".join(str(rng.randint(1 if index == 0 else 0, 9)) for index in range(digits))

    def sign(self, rng: random.Random) -> list[str]:
        if rng.random() < 0.25:  # every sign, alone or in no context that would tell it
            token = rng.choice(self.signs)
            before, after = (
                rng.choice(((), (rng.choice(VARIABLES),), (str(rng.randint(0, 9)),))),
                rng.choice(((), (rng.choice(VARIABLES),))),
            )
            return [*before, token, *after]
        pattern = rng.choice(SIGNS).replace("_", " _ ").replace("^", " ^ ").replace("{", " { ").replace("}", " } ")
        pattern = pattern.replace(r"\mathbb {", r"\mathbb{")
        for letter in "PE1":
            pattern = pattern.replace(rf"\mathbb{{ {letter} }}", rf"\mathbb{{{letter}}}")
        return canonical(" ".join(self.filled(pattern, rng)))

    def cell(self, kind: str, row: int, column: int, rng: random.Random) -> str:
        if kind == "digit":
            return str(rng.randint(0, 9))
        if kind == "number":
            return rng.choice(("", "", "- ")) + " ".join(
                str(rng.choice((rng.randint(0, 9), rng.randint(10, 99), rng.randint(0, 20), rng.randint(0, 400))))
            )
        if kind == "letter":
            return rng.choice(VARIABLES)
        if kind == "index":
            return f"a _ {{ {row + 1} {column + 1} }}"
        if kind == "trigonometric":
            return rng.choice(("", "- ")) + rng.choice(
                (r"\cos \theta", r"\sin \theta", "0", "1", r"\cos \phi", r"\sin \alpha")
            )
        if kind == "fraction":
            return (
                rf"\frac {{ {rng.randint(1, 9)} }} {{ {rng.randint(2, 9)} }}"
                if rng.random() < 0.6
                else str(rng.randint(0, 9))
            )
        return rng.choice(
            (
                self.linear(rng),
                f"{rng.choice(VARIABLES)} ^ {{ 2 }}",
                rng.choice(VARIABLES),
                str(rng.randint(0, 9)),
                rng.choice(self.greek),
            )
        )

    def linear(self, rng: random.Random) -> str:
        factor = "" if rng.random() < 0.5 else str(rng.randint(2, 9))
        return f"{factor} {rng.choice(VARIABLES)} {rng.choice('+-')} {rng.choice((str(rng.randint(1, 9)), rng.choice(VARIABLES)))}"

    def matrix(self, rng: random.Random) -> list[str]:
        names, weights = zip(*FENCES, strict=True)
        name = rng.choices(names, weights)[0]
        rows, columns = rng.choice(SIZES)
        columns = min(rows, 3) if name == "vmatrix" else columns
        body = (
            self.dotted(rng)
            if rng.random() < 0.07
            else self.cells(rows if name != "vmatrix" else columns, columns, rng)
        )
        text = rf"\begin{{{name}}} {body} \end{{{name}}}"
        turn = rng.random()
        letter = rng.choice("ABCDIJKMPQRSTUVXabvwx")
        if name in ("vmatrix",):
            text = rng.choice(
                (
                    text,
                    f"{letter} = {text}",
                    f"{text} = {rng.choice(('', '- '))} {self.number(rng)}",
                    rf"d e t ( {letter} ) = {text}",
                    f"{text} = a d - b c",
                )
            )
        elif turn < 0.3:
            text = f"{letter} = {text}"
        elif turn < 0.4:
            text = rf"\vec {{ {letter} }} = {text}"
        elif turn < 0.48:
            text += rf" \begin{{{name}}} {self.cells(2, 1, rng)} \end{{{name}}}"
        elif turn < 0.56:
            text += rng.choice((" ^ { - 1 }", " ^ { T }", " ^ { 2 }"))
        elif turn < 0.62:
            text = f"{text} {rng.choice('+-=')} " + rf"\begin{{{name}}} {self.cells(2, 2, rng)} \end{{{name}}}"
        elif turn < 0.66:
            text = rng.choice((str(rng.randint(2, 9)), rng.choice(VARIABLES), r"\lambda ")) + text
        elif turn < 0.7:
            text += rf" = \begin{{{name}}} {self.cells(2, rng.randint(1, 2), rng)} \end{{{name}}}"
        return canonical(text)

    def cells(self, rows: int, columns: int, rng: random.Random) -> str:
        kinds = ("digit", "digit", "number", "letter", "letter", "mixed", "index", "trigonometric", "fraction")
        kind = rng.choice(kinds)
        return r" \\ ".join(
            " & ".join(self.cell(kind, row, column, rng) for column in range(columns)) for row in range(rows)
        )

    @staticmethod
    def dotted(rng: random.Random) -> str:
        letter, last = rng.choice("abcxmA"), rng.choice("nmk")
        if rng.random() < 0.4:
            return rf"{letter} _ 1 \\ {letter} _ 2 \\ \vdots \\ {letter} _ {last}"
        return (
            rf"{letter} _ {{ 1 1 }} & \cdots & {letter} _ {{ 1 {last} }} \\ \vdots & \ddots & \vdots \\ "
            rf"{letter} _ {{ {last} 1 }} & \cdots & {letter} _ {{ {last} {last} }}"
        )

    def cases(self, rng: random.Random) -> list[str]:
        variable, count = rng.choice("xxxxtnyk"), rng.choice((2, 2, 2, 3))
        borders = sorted(rng.sample(range(-9, 30), count))
        word, last = rng.choice(
            (
                ("if", "otherwise"),
                ("if", "otherwise"),
                ("for", "else"),
                ("si", "sinon"),
                ("", "otherwise"),
                ("", ""),
                ("if", "if"),
            )
        )
        rows = []
        for index, border in enumerate(borders):
            value = rng.choice(
                (
                    variable,
                    f"- {variable}",
                    self.linear(rng),
                    f"{variable} ^ 2",
                    str(rng.randint(0, 9)),
                    r"\sin " + variable,
                    rf"\sqrt {{ {variable} }}",
                )
            )
            relation = rng.choice(INEQUALITIES)
            condition = f"{variable} {relation} {border}" if rng.random() < 0.85 else f"0 < {variable} < {abs(border)}"
            if index == count - 1 and last in ("otherwise", "else", "sinon"):
                condition = rf"\text{{{last}}}"
            elif word:
                condition = rf"\text{{{word}}} {condition}"
            rows.append(f"{value} {rng.choice(('', '', ','))} & {condition}")
        head = rng.choice(
            (
                f"f ( {variable} ) =",
                f"f ( {variable} ) =",
                f"g ( {variable} ) =",
                "y =",
                f"| {variable} | =",
                "a _ n =",
                "",
            )
        )
        return canonical(head + r" \begin{cases} " + r" \\ ".join(rows) + r" \end{cases}")

    def system(self, rng: random.Random) -> list[str]:
        letters = rng.choice(("xy", "xy", "xyz", "ab", "uv", "pq"))
        rows = []
        for _ in range(rng.choice((2, 2, 2, 3))):
            terms = []
            for letter in letters:
                factor = rng.choice(("", "", str(rng.randint(2, 9)), str(rng.randint(2, 9)), self.number(rng)))
                terms.append(f"{factor} {letter}")
            row = terms[0] + "".join(f" {rng.choice('+-')} {term}" for term in terms[1:])
            rows.append(
                f"{row} = {rng.choice(('', '', '- '))}{rng.choice((self.number(rng), str(rng.randint(0, 20))))}"
            )
        if rng.random() < 0.3:
            rows = [f"{letter} {rng.choice(INEQUALITIES)} {self.number(rng)}" for letter in letters]
        return canonical(r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}")

    def worded(self, rng: random.Random) -> list[str]:
        def short() -> str:
            kind = rng.randrange(5)
            variable = rng.choice(VARIABLES)
            if kind == 0:
                return f"{variable} = {rng.choice(('', '- '))}{self.number(rng)}"
            if kind == 1:
                return f"{variable} {rng.choice(INEQUALITIES)} {self.number(rng)}"
            if kind == 2:
                return f"{variable} ^ 2 {rng.choice('+-')} {self.linear(rng)} = 0"
            return " ".join(
                self.filled(
                    rng.choice(
                        (r"V \in B", r"V = \frac { D } { D }", "f ( x ) = 0", "x = y", r"x = \pm D", "V + D = N")
                    ),
                    rng,
                )
            )

        def word(some: Sequence[str]) -> str:
            chosen = rng.choice(self.words) if rng.random() < 0.25 else rng.choice(some)
            chosen = chosen.capitalize() if rng.random() < 0.1 else chosen
            return " ".join(rf"\text{{{part}}}" for part in chosen.split())

        turn = rng.random()
        if turn < 0.45:
            text = f"{short()} {word(JOINING)} {short()}"
        elif turn < 0.7:
            text = f"{word(LEADING)} {short()}"
        elif turn < 0.88:
            text = f"{short()} {rng.choice(('', '', ','))} {word(LEADING)} {short()}"
        elif turn < 0.95:
            text = f"{short()} {rng.choice(('', ','))} {word(ENDING)}"
        else:
            text = f"{word(LEADING)} {word(self.words)} {short()}"
        return canonical(text)

    def long_sum(self, rng: random.Random) -> list[str]:
        """Sums and rows of large numbers, many of one repeated digit: no reading of it may go on for ever."""
        separator = rng.choice((", ", ", ", "", "", ". "))
        terms = [self.large(rng) for _ in range(rng.choice((1, 2, 2, 2, 3, 3, 4)))]
        sign = rng.choice(("+", "+", "+", "-", r"\times", ","))
        result = sum(terms) if sign == "+" else abs(terms[0] - sum(terms[1:])) if sign == "-" else self.large(rng)
        text = f" {sign} ".join(written(term, separator) for term in terms)
        if (len(terms) > 1 and rng.random() < 0.75) or rng.random() < 0.2:
            text += f" = {written(result, separator)}"
        if rng.random() < 0.12:
            text = " + ".join([rng.choice(("1", "2", "0", "x", "a"))] * rng.randint(4, 16)) + rng.choice(
                ("", r" + \cdots", f" = {rng.randint(4, 40)}")
            )
        elif rng.random() < 0.08:
            text = (
                "0 . "
                + " ".join(rng.choice(("0", "3", "9", "6", str(rng.randint(0, 9)))) * rng.randint(2, 14))
                + rng.choice(("", r" \ldots", " 1"))
            )
        return canonical(text)

    @staticmethod
    def large(rng: random.Random) -> int:
        kind, digits = rng.random(), rng.randint(3, 8)
        if kind < 0.5:
            return rng.randint(1, 99) * 10 ** rng.randint(2, 6)
        if kind < 0.7:
            return int(str(rng.randint(1, 9)) * digits)
        return rng.randint(10 ** (digits - 1), 10**digits - 1)


def written(number: int, separator: str) -> str:
    """Its digits as tokens, groups of three parted by `separator`."""
    return " ".join(f"{number:,}".replace(",", separator.strip()))
