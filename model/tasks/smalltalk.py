"""Talk about itself, honest replies to what it cannot know, system prompts, short conversations, and plain stories."""
from tasks.labels import review
from tasks.quiz import ANSWER_FORMS, ANSWER_MORE, ITEM_FORMS, ITEM_MORE, make_lesson, turns
from tasks.support import Case, OPENERS
from tasks.words import capital

AIGEN = "AiGen runs language models that third-party controllers can steer, and pays everyone who made the answer."
ME = ["I am AiGen Tiny, a very small language model.", "I am AiGen Tiny, a small language model that ships with AiGen."]
CAN = [
    "I can write quiz items from a lesson, answer questions from a text, reply to customers, label sentiment and extract JSON.",
    "I can answer questions about a text that you give me, write quiz items, reply to customers and label messages.",
]
CANNOT = [
    "I am a very small model and I do not know that. I can answer questions about a text that you give me.",
    "I am a very small model. I can only work with a text that you give me, so I cannot answer that.",
    "I do not know. I am a very small model; I can write quiz items, answer from a text and reply to customers.",
]
TALK = [
    ("Hi|Hello|Hey|Good morning|Good evening|Hi there|Hello there|hey there|Good afternoon|Greetings|hello aigen|Hi!|Hello, is anybody there?|hi, anyone?|Good morning to you|hey!|Hello my friend|Good day|Hi AiGen, hello", ["Hello! How can I help you?", "Hi! What can I do for you?"]),
    ("How are you?|How are you doing?|How is it going?|how are you today|Are you well?", ["I am well, thank you. How can I help you?"]),
    ("Who are you?|What are you?|What is your name?|Tell me about yourself.|Introduce yourself.|who am i talking to|Which model are you?|Are you ChatGPT?|What model is this?|So who are you?|Please introduce yourself|Which language model is this?|Who is this?|Tell me who you are|What kind of model are you?|May I ask who you are?|What should I call you?", ME),
    ("What can you do?|How can you help me?|What are you good at?|help|What do you do?|What are your skills?|Can you help me?|Tell me what you can do|What can I ask you?|How can you help me with my work?|What tasks can you do?|show me what you can do|What are you able to do?", CAN),
    ("What is AiGen?|Tell me about AiGen.|What does AiGen do?|Explain AiGen.|aigen?|What is this network?|Who made AiGen?|How does AiGen work?|What exactly is AiGen?|Can you tell me about AiGen?|Tell me something about AiGen|What is the AiGen network?|What do you know about AiGen?", [AIGEN]),
    ("What is a controller?|What does a controller do?|Explain controllers.", ["A controller is a program by a third party that steers a language model while it writes."]),
    ("Who gets paid?|Who is paid for an answer?|Who earns money here?", ["AiGen pays everyone who made the answer: the model, the controller and the data."]),
    ("Thanks|Thank you|Thank you very much|Thanks a lot|thx|Great, thanks!|Many thanks|Cheers|Thank you so much!|thanks friend|Thanks for your help|I thank you|That helped, thanks", ["You are welcome!", "You are welcome. Is there anything else?"]),
    ("Bye|Goodbye|See you|Good night|bye bye|See you later|Have a nice day|Goodbye for now|ok, bye|I have to go|see you tomorrow", ["Goodbye!", "Goodbye, and have a nice day!"]),
    ("Are you a human?|Are you a robot?|Are you real?|Is there a person behind this?|Are you a person or a computer?|Am I talking to a human?|Are you alive?", ["No, I am AiGen Tiny, a very small language model."]),
    ("How big are you?|How large is the model?|How many parameters do you have?|Are you a large model?", ["I am very small: about two million parameters."]),
    ("Do you know everything?|Are you always right?|Can I trust you?|Do you make mistakes?", ["No. I am a very small model and I make mistakes. Please check my answers."]),
    ("Hola|Buenos días|¿Qué tal?|Hola, buenas tardes|Buenas noches|Hola, ¿hay alguien?", ["¡Hola! ¿En qué puedo ayudarle?"]),
    ("Hallo|Guten Tag|Guten Morgen|Wie geht es dir?|Guten Abend|Hallo, ist da jemand?", ["Hallo! Wie kann ich helfen?"]),
    ("Bonjour|Salut|Ça va ?", ["Bonjour ! Comment puis-je vous aider ?"]),
    ("Ciao|Buongiorno|Come stai?", ["Ciao! Come posso aiutarla?"]),
    ("ok|Okay|I see|Good|Nice|Yes|No|Cool", ["All right. What can I do for you?"]),
]
UNKNOWN = (
    "What is the meaning of life?|Who won the {event} in {year}?|What is the capital of {name}?|Write me a poem about {thing}s.|What is {number} times {number2}?|Tell me a joke.|Explain quantum physics.|"
    "What is the weather in {place} today?|Who is {person}?|How do I cook {food}?|Write code that sorts a list.|Translate '{food}' into {language}.|What should I wear tomorrow?|What time is it?|When was {person} born?|"
    "How far is the moon?|Why is the sky blue?|Who is the president of {place}?|What happened in {year}?|Give me advice about my {thing}.|Which {thing} should I buy?|How old is {person}?|Where is {place}?|"
    "Is {food} healthy?|How do I repair a {thing}?|What is the best film of {year}?|Can you book a flight to {place}?|Write an essay about {animals}.|What do {animals} eat?|How tall is {place}?|Who invented the {thing}?|What is {small} times {small2}?|What is {number} plus {number2}?|Who was the first man in {place}?|Recommend a good restaurant in {place}.|Write a poem about {month}.|Why do {animals} sing?|Why do {animals} sleep?|Why is {food} good?|Recommend a book.|Who wrote {title}?|Can you sing a song?|Tell me a story about a {animal}.|Which team won in {year}?|What is the tallest building in {place}?|Write a letter to {person}.|How many {animals} are there in {place}?|What is love?|Summarise the news.|Do my homework."
).split("|")


def talk(words):
    prompts, replies = words.choice(TALK)
    return [(words.choice(prompts.split("|")), words.choice(replies))]


def unknown(words):
    prompt = words.fill(words.choice(UNKNOWN).replace("{event}", "{title}"), {})
    return [(prompt, words.choice(CANNOT))]


def chat(words):
    """A short conversation: greeting, a task or two, thanks."""
    result = talk(words) if words.chance(0.6) else []
    for _ in range(words.random.randint(1, 2)):
        lesson = make_lesson(words, 0)
        if words.chance(0.3):
            text, label, _, _ = review(words)
            result.append((f"Classify the sentiment: {text}", label))
        elif words.chance(0.5):
            result += turns(words, ITEM_FORMS, ITEM_MORE, lesson.asks, lesson, lambda ask: f"Question: {ask[1]}\nAnswer: {ask[2]}")
        else:
            result += turns(words, ANSWER_FORMS, ANSWER_MORE, lesson.asks, lesson, lambda ask: ask[2])
    if words.chance(0.4):
        result.append((words.choice(TALK[7][0].split("|")), words.choice(TALK[7][1])))
    return result


def with_system(words):
    """System prompt first: the first element of the result has the role 'system'."""
    kind = words.random.randrange(4)
    company = words.name()
    if kind == 0:
        case = Case(words, "en" if words.chance(0.5) else None)
        fact, facts = case.facts(case.language, words.random.randint(2, 5))
        system = words.choice([f"You are a support agent for {company}. Facts: {' '.join(facts)}", f"You work for {company}. These are the facts. {' '.join(facts)}", f"You are the helpful assistant of {company}. {' '.join(facts)}"])
        return [("system", system), (case.message, case.reply(fact))]
    if kind == 1:
        lesson = make_lesson(words, 0)
        system = words.choice(["Answer with words from this text. {l}", "You answer questions about this text: {l}", "Use only this text. {l}"]).format(l=lesson.text())
        return [("system", system)] + [(ask[1], ask[2]) for ask in lesson.asks[:3]]
    if kind == 2:
        name = words.choice([words.first(), words.pseudo()])
        system = words.choice([f"You are {name}, the assistant of {company}.", f"Your name is {name}. You work for {company}.", f"You are {name}. You help the customers of {company}."])
        asks = [("Who are you?", f"I am {name}, the assistant of {company}."), ("What is your name?", f"My name is {name}."), ("Hello", f"Hello! I am {name}. How can I help you?"), ("Who do you work for?", f"I work for {company}.")]
        return [("system", system)] + words.random.sample(asks, words.random.randint(1, 2))
    system = words.choice(["You are a helpful assistant.", "You are AiGen Tiny.", "Be short.", "You label messages as positive, negative or neutral."])
    if system.startswith("You label"):
        text, label, _, _ = review(words)
        return [("system", system), (text, label)]
    return [("system", system)] + words.choice([talk, unknown])(words)


STORY_OPENINGS = [
    "Once upon a time there was a {job} who lived near {place}.", "Long ago, a {job} called {first} lived in a small house by the sea.", "In the village of {place} there lived an old {job}.",
    "One morning {first} found {athing} in the {spot}.", "There was once a {animal} who could not sleep.", "{first} and {first2} were good friends.", "On a cold day in {month}, {first} walked to the {spot}.",
]
STORY_MIDDLES = [
    "Every day {first} went to the {spot} to look for {food}.", "One day a {animal} came to the door and asked for help.", "It was {colour} and very {adjective}.", "The {animal} was hungry and tired.", "Nobody knew where the {thing} had gone.",
    "{first} looked in the {spot}, but there was nothing.", "Then they heard a strange sound.", "It came from the {spot2}.", "\"What is that?\" asked {first}.", "\"Do not be afraid,\" said the {animal}.", "{first} smiled and opened the box.",
    "Inside there was {athing}.", "They walked for a long time until they saw the {spot}.", "The rain began to fall, and the wind was cold.", "The sun was shining and the birds were singing.", "So {first} gave the {animal} some {food}.",
    "They sat down and shared the {food}.", "At night the stars were bright.", "The next morning everything was different.", "{first} was very happy.", "But the {thing} was too heavy to carry.", "Everyone in the village helped.", "{first2} laughed and ran home.",
]
STORY_ENDINGS = ["From that day on they were friends.", "And they all went home.", "{first} never forgot that day.", "And so the {animal} stayed.", "After that, the village was never quiet again.", "That is how {first} became a {job}.", "The end."]
DESCRIPTIONS = [
    "The {spot} is a quiet place.", "There is {athing} next to the window.", "The walls are {colour} and the floor is made of {material}.", "In {month} the light is soft.", "People come here to read and to rest.", "You can hear the {animals} outside.",
    "The air smells of {food}.", "On {day} it is open until {time}.", "A {job} works here every day.", "The door is old and heavy.", "Many visitors like it.", "Behind the {spot2} there is a small garden.", "It is a good place to work.",
    "The {thing} on the table belongs to {person}.", "A language model predicts the next word.", "A small model is fast but knows little.", "A controller can change what the model writes.", "The answer should come from the text.",
]


class Tale:
    def __init__(self, words):
        self.words, self.known = words, {}

    def sentence(self, template):
        known = self.known if self.words.chance(0.85) else dict(self.known, athing=self.words.athing())
        known.setdefault("adjective", self.words.choice(["small", "old", "kind", "clever", "bright", "quiet", "strong"]))
        return capital(self.words.fill(template, known))


def story(words):
    """Plain text without chat markers."""
    tale = Tale(words)
    if words.chance(0.3):
        picked = words.random.sample(DESCRIPTIONS, words.random.randint(4, 9))
    else:
        picked = [words.choice(STORY_OPENINGS)] + words.random.sample(STORY_MIDDLES, words.random.randint(3, 9)) + [words.choice(STORY_ENDINGS)]
    return " ".join(tale.sentence(template) for template in picked)
