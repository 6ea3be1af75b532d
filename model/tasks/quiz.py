"""Quiz items, extractive answers, quotations and plain copying: the skill of finding a span and repeating it exactly."""
from tasks.facts import CATEGORIES, CHOICES, FILLERS, SINGLES
from tasks.natural import NOW, SHARED, attribute, deed
from tasks.words import Words, capital


class LessonWords(Words):
    """Words plus the names of lesson subjects and the closed choices of the fact tables."""

    def __getattr__(self, name):
        if name.startswith("choice"):
            options = {**CHOICES, "now": NOW}[name[len("choice"):]].split("|")
            return lambda: self.choice(options)
        raise AttributeError(name)

    def firm(self):
        return self.fill(self.choice(["{pseudo} and Sons", "{pseudo} Ltd", "{last} {pseudo}", "{pseudo}", "the {pseudo} bakery", "the {pseudo} company"]), {})

    def species(self):
        return self.fill(self.choice(["the {pseudo}", "the {pseudo} {animal}", "the {colour} {animal}", "the {pseudo} tree", "the {animal}", "the great {pseudo}"]), {})

    def site(self):
        return self.fill(self.choice(["{pseudo} Tower", "the {pseudo} Museum", "{pseudo} Castle", "the {pseudo} Bridge", "Hotel {pseudo}", "the {pseudo} Library", "the {spot}", "the {pseudo} lighthouse"]), {})

    def event(self):
        return self.fill(self.choice(["the {pseudo} Festival", "the Festival of {pseudo}", "the {pseudo} Race", "the {season} fair", "{pseudo} Day", "the {pseudo} Cup", "the {animal} parade"]), {})

    def device(self):
        return self.fill(self.choice(["the {pseudo} {small}", "the {pseudo}", "the {pseudo} pump", "the {code}", "the {adjective} {pseudo}", "the {pseudo} engine", "the {thing}"]), {})

    def adjective(self):
        return self.choice(["electric", "steam", "small", "solar", "old", "manual"])

    def terrain(self):
        return self.fill(self.choice(["Mount {pseudo}", "Lake {pseudo}", "the {pseudo} River", "{pseudo} Island", "the {pseudo} Valley", "{name}", "the {pseudo} Glacier", "the {pseudo} Cave"]), {})

    def ship(self):
        return self.fill(self.choice(["the {pseudo}", "the {name}", "the {colour} {animal}", "the Queen {first}", "the {pseudo} Express"]), {})

    def club(self):
        return self.fill(self.choice(["the {pseudo} Rovers", "the {pseudo} Choir", "{name} United", "the {animal} club", "the {spot} club", "the {pseudo} Society"]), {})


def parse_table(table):
    """Rows of a fact table as (statements, [(focuses, questions, answer)])."""
    rows = []
    for line in table.strip().splitlines():
        first, *more = line.split(" && ")
        statements, focuses, questions, answer = first.split(" > ")
        asks = [(focuses.split("|"), questions.split("|"), answer)]
        for ask in more:
            focuses, questions, answer = ask.split(" > ")
            asks.append((focuses.split("|"), questions.split("|"), answer))
        rows.append((statements.split("|"), asks))
    return rows


TABLES = {name: (parse_table(table), nouns.split("|"), kinds.split("|")) for name, (table, nouns, kinds) in CATEGORIES.items()}
SINGLE_ROWS = parse_table(SINGLES)
SHARED_ROWS = parse_table(SHARED.replace("{S0}", "{site}"))


class Subject:
    """What one lesson is about: a name, the words that refer to it, and the values already drawn for it."""

    def __init__(self, words, category):
        self.rows, nouns, kinds = TABLES[category]
        self.words = words
        noun = words.choice(nouns)
        if category != "person" and words.chance(0.15):
            self.name = f"the {words.choice(['old', 'new', 'town', 'little', 'first', 'great', 'local'])} {noun}"
        else:
            self.name = getattr(words, words.choice(kinds))()
        pronoun, possessive = ("It", "Its") if category != "person" else words.choice([("He", "His"), ("She", "Her")])
        self.short = [(pronoun, possessive)] * 3
        if noun:
            self.short.append((f"The {noun}", f"The {noun}'s"))
        self.of_noun = f" of the {noun}" if noun else " of this person"
        self.known = {"s": self.name, "sp": possessive.lower(), "sp2": possessive.lower()}
        self.named = False

    def statement(self, template, always_named):
        """The sentence; after the first mention the subject is often only referred to."""
        if self.named and not always_named and self.words.chance(0.75):
            opener, possessive = self.words.choice(self.short)
        else:
            opener, possessive = capital(self.name), f"{capital(self.name)}'s"
        self.named = True
        known = dict(self.known, S=opener, P=possessive)
        text = capital(self.words.fill(template, known))
        self.known.update({key: value for key, value in known.items() if key not in "SP"})
        return text


class Lesson:
    """Sentences and the questions they answer: `asks` holds (focus, question, answer, sentence)."""

    def __init__(self, words):
        self.words = words
        self.sentences, self.pending, self.asks = [], [], []

    def text(self):
        return " ".join(self.sentences)

    def add_fact(self, row, subject, ambiguous, always_named):
        statements, asks = row
        template = self.words.choice(statements)
        if subject:
            sentence = subject.statement(template, always_named)
            known = subject.known
        else:
            known = {}
            sentence = capital(self.words.fill(template, known))
        self.sentences.append(self.decorate(sentence))
        self.pending.append((asks, subject, known, ambiguous, sentence))

    def add_free(self, sentence, asks):
        """A sentence with finished questions, without slots."""
        self.sentences.append(sentence)
        self.pending.append((asks, None, {}, False, sentence))

    def decorate(self, sentence):
        if self.words.chance(0.08) and sentence.startswith(("It ", "The ", "In ", "He ", "She ")):
            opener = self.words.choice(["Today, ", "In fact, ", "As we know, ", "Long ago, ", "By the way, ", "According to the records, "])
            return opener + sentence[0].lower() + sentence[1:]
        return sentence

    def join_some(self):
        """Joins some neighbours whose second half starts with a pronoun: 'A ..., and it ...'."""
        joined = []
        for sentence in self.sentences:
            if joined and sentence.startswith(("It ", "He ", "She ", "Its ", "His ", "Her ")) and self.words.chance(0.15):
                glue = self.words.choice([", and ", "; ", ", but "])
                joined[-1] = joined[-1][:-1] + glue + sentence[0].lower() + sentence[1:]
            else:
                joined.append(sentence)
        self.sentences = joined

    def finish(self):
        words = self.words
        self.join_some()
        text = self.text()
        for asks, subject, known, ambiguous, sentence in self.pending:
            for focuses, questions, answer in asks:
                known = dict(known)
                if subject:
                    known["of"] = f" of {subject.name}" if ambiguous else words.choice(["", "", f" of {subject.name}", subject.of_noun])
                try:
                    answer_text = words.fill(answer, dict(known))
                    focus = words.fill(words.choice(focuses), known)
                    question = words.fill(words.choice(questions), known)
                except AttributeError:
                    continue
                if ambiguous and subject and subject.name not in focus:
                    focus += f" of {subject.name}"
                if answer_text not in text:
                    answer_text = capital(answer_text)
                if answer_text in text:
                    self.asks.append((focus, capital(question), answer_text, sentence))
        words.random.shuffle(self.asks)
        return self


def one_subject(words, lesson, count):
    subject = Subject(words, words.choice(list(TABLES)))
    for row in words.random.sample(subject.rows, min(count, len(subject.rows))):
        lesson.add_fact(row, subject, False, False)


def rivals(words, lesson, count):
    """Two or three subjects of one kind with some of the same relations: only the name tells the facts apart."""
    category = words.choice(list(TABLES))
    subjects = [Subject(words, category) for _ in range(words.choice((2, 2, 3)))]
    rows = words.random.sample(subjects[0].rows, max(1, min(len(subjects[0].rows), count // len(subjects) + 1)))
    order = [(row, subject) for subject in subjects for row in rows]
    mixed = words.chance(0.5)
    if mixed:
        words.random.shuffle(order)
    for row, subject in order[: count + 1]:
        lesson.add_fact(row, subject, True, mixed)


def scattered(words, lesson, count):
    """Facts that have nothing to do with each other."""
    for row in words.random.sample(SINGLE_ROWS, min(count, len(SINGLE_ROWS))):
        lesson.add_fact(row, None, False, True)
    if words.chance(0.3):
        one_subject(words, lesson, 2)


def free(words, lesson, count):
    """Any deeds and attributes, and longer sentences with several facts."""
    for row in words.random.sample(SHARED_ROWS, count):
        kind = words.random.randrange(3)
        if kind == 0:
            lesson.add_fact(row, None, False, True)
        else:
            lesson.add_free(*(deed if kind == 1 else attribute)(words))


def make_lesson(words, long_share=0.015):
    while True:
        lesson = Lesson(words)
        if words.chance(long_share):
            for _ in range(words.random.randint(2, 5)):
                one_subject(words, lesson, words.random.randint(4, 8))
        else:
            shape = words.random.choices((one_subject, rivals, scattered, free), (4, 2, 1.5, 3.5))[0]
            shape(words, lesson, words.random.choice((1, 2, 2, 2, 3, 3, 3, 4, 5, 6)))
        if words.chance(0.25):
            lesson.sentences.insert(words.random.randint(1, len(lesson.sentences)), words.choice(FILLERS))
        lesson.finish()
        if lesson.asks:
            return lesson


ITEM_FORMS = ["Write a quiz item about {f}.\nLesson: {l}"] * 6 + [
    "Make a quiz question about {f}.\nLesson: {l}",
    "Write a quiz question about {f}.\nText: {l}",
    "Lesson: {l}\nWrite a quiz item about {f}.",
    "Create one question with its answer about {f} from this lesson.\n{l}",
    "Ask one question about {f}.\nLesson: {l}",
]
ITEM_MORE = ["Write a quiz item about {f}.", "Now one about {f}.", "Another one, about {f}.", "Make a quiz question about {f}."]
ANSWER_FORMS = ["Answer from the text.\nText: {l}\nQuestion: {q}"] * 6 + [
    "Read the text and answer the question.\nText: {l}\nQuestion: {q}",
    "Text: {l}\nQuestion: {q}",
    "Question: {q}\nText: {l}",
    "{l}\n{q}",
    "Context: {l}\nQuestion: {q}\nAnswer with words from the context.",
    "Quote the answer.\nText: {l}\nQuestion: {q}",
]
ANSWER_MORE = ["Question: {q}", "{q}", "And: {q}"]
SENTENCE_FORMS = ["Quote the sentence about {f}.\nText: {l}", "Which sentence answers the question?\nText: {l}\nQuestion: {q}", "Find the sentence about {f}.\nText: {l}"]


def turns(words, forms, more, asks, lesson, answer):
    """First turn with the text, then often further questions to the same text."""
    extra = words.choice((1, 2, 3, 4, 5))
    result = []
    for index, ask in enumerate(asks[: 1 + extra]):
        form = words.choice(forms if index == 0 else more)
        result.append((form.format(f=ask[0], q=ask[1], l=lesson.text()), answer(ask)))
    return result


def quiz_item(words):
    lesson = make_lesson(words)
    return turns(words, ITEM_FORMS, ITEM_MORE, lesson.asks, lesson, lambda ask: f"Question: {ask[1]}\nAnswer: {ask[2]}")


def text_answer(words):
    lesson = make_lesson(words)
    if words.chance(0.05):
        lesson.asks = [(f, q[0].lower() + q[1:].rstrip("?"), a, s) for f, q, a, s in lesson.asks]
    return turns(words, ANSWER_FORMS, ANSWER_MORE, lesson.asks, lesson, lambda ask: ask[2])


def quote_sentence(words):
    lesson = make_lesson(words, 0)
    asks = [ask for ask in lesson.asks if ask[3] in lesson.sentences]
    if not asks:
        return quote_sentence(words)
    return turns(words, SENTENCE_FORMS, ["And about {f}?", "Quote the sentence about {f}."], asks, lesson, lambda ask: ask[3])


def random_token(words):
    return words.choice([words.number, words.pseudo, words.code, words.order, words.name, words.thing, words.money])()


def copying(words):
    """Repeating, and small look-ups in lists: dense practice for copying."""
    kind = words.random.randrange(5)
    items = [random_token(words) for _ in range(words.random.randint(2, 9))]
    if kind == 0:
        text = " ".join(items)
        return [(words.choice(["Repeat: ", "Copy: ", "Say exactly: "]) + text, text)]
    if kind == 1:
        keys = words.random.sample("name city code owner price colour size date number place title job team room food drink key".split(), min(len(items), 6))
        pairs = list(zip(keys, items))
        listing = words.choice([", ", "\n", "; "]).join(f"{key}: {item}" for key, item in pairs)
        words.random.shuffle(pairs)
        return [(f"{listing}\nWhat is the {key}?" if index == 0 else f"What is the {key}?", item) for index, (key, item) in enumerate(pairs[:3])]
    if kind == 2:
        at = words.random.randrange(len(items) - 1)
        return [(f"List: {', '.join(items)}\nWhat comes after {items[at]}?", items[at + 1])] if items.count(items[at]) == 1 else copying(words)
    if kind == 3:
        at = words.random.choice((0, -1))
        return [(f"List: {', '.join(items)}\nWhat is the {'first' if at == 0 else 'last'} item?", items[at])]
    passage = make_lesson(words, 0).text()
    return [(f"Repeat: {passage}", passage)] if len(passage) < 240 else copying(words)
