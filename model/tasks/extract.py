"""Small flat JSON answers."""
import json

from tasks.labels import review
from tasks.quiz import make_lesson

SENTENCES = [
    "My name is {name} and my {kind} is {order}.", "I am {name}. The {kind} number is {order}.", "{name} here, {kind} {order}.", "Hello, this is {name} about {kind} {order}.",
    "Hi, {kind} {order} has not arrived. Regards, {name}", "Where is my {kind} {order}? {name}", "I want to cancel {kind} {order}. My name is {name}.", "{name} is asking about {kind} {order}.",
    "Dear team, please check {kind} {order}. Best wishes, {name}", "Good morning, {name} speaking. It is about {kind} {order}.", "Please send {kind} {order} to {name}.", "{kind} {order}, name {name}",
    "The {thing} in {kind} {order} is broken. Thanks, {name}", "Hola, soy {name} y mi pedido es {order}.", "Me llamo {name}. Pedido {order}.", "Ich heiße {name}, Bestellung {order}.",
    "Mein Name ist {name} und meine Bestellnummer ist {order}.", "Je m'appelle {name}, commande {order}.", "Mi chiamo {name}, ordine {order}.", "I placed {kind} {order} on {day} but nothing came. {name}",
]
CONTACTS = ["I am {name} from {city}.", "My name is {name} and I live in {city}.", "{name} lives in {city}.", "{name}, {city}", "Write to {name} in {city}.", "{name} moved to {city} last year.", "This is {name}. I am calling from {city}."]
EVENTS = ["The meeting with {name} is on {day} at {time}.", "On {day} at {time} I meet {name}.", "{name} comes on {day} at {time}.", "Please book {name} for {day}, {time}.", "See you {day} at {time}, {name}"]
PRODUCTS = ["The {item} costs {price}.", "I bought a {item} for {price}.", "{item}: {price}", "You pay {price} for the {item}.", "We sell a {item} at {price}.", "How about a {item} for {price}?"]
PEOPLE = ["{name} is {age} years old.", "{name}, aged {age}, works as a {job}.", "I am {name}, {age}.", "My friend {name} turned {age} on {day}."]


def dump(value):
    return json.dumps(value, ensure_ascii=False)


def values(words):
    return dict(
        name=words.person(), kind=words.choice(["order", "order", "order", "ticket", "parcel", "invoice"]), order=words.order(), thing=words.thing(), day=words.day(),
        city=words.place(), time=words.time(), item=words.thing(), price=words.money(), age=str(words.random.randint(5, 99)), job=words.job(),
    )


def order_json(words):
    """The main form: name and order, with an empty string for what the message does not say."""
    known = values(words)
    text = words.choice(SENTENCES).format(**known)
    result = {"name": known["name"], "order": known["order"]}
    if words.chance(0.1):
        text, result = words.choice([(f"Where is order {known['order']}?", {"name": "", "order": known["order"]}), (f"Hello, I am {known['name']}.", {"name": known["name"], "order": ""})])
    if words.chance(0.35):
        extra = words.choice(["I am still waiting.", "Please help me.", "Thank you.", "It is urgent.", "The box was empty.", f"I paid {known['price']}.", f"I ordered it on {known['day']}."])
        text = f"{text} {extra}" if words.chance(0.6) else f"{extra} {text}"
    return ask_json(words, text, result)


def other_json(words):
    known = values(words)
    sentences, keys = words.choice([(CONTACTS, ["name", "city"]), (EVENTS, ["name", "day", "time"]), (PRODUCTS, ["item", "price"]), (PEOPLE[:1] + PEOPLE[2:], ["name", "age"]), (PEOPLE[1:2], ["name", "age", "job"])])
    text = words.choice(sentences).format(**known)
    result = {key: known[key] for key in keys}
    form = words.choice(["Extract {k} as JSON: {x}", "Extract as JSON with the keys {k}: {x}", "Return JSON with {k}.\nText: {x}", "JSON ({k}): {x}"])
    return [(form.format(k=", ".join(keys), x=text), dump(result))]


def ask_json(words, text, result):
    form = words.choice(["Extract as JSON: {x}"] * 4 + ["Extract name and order as JSON: {x}", "Extract as JSON.\nMessage: {x}", "Return name and order as JSON.\nMessage: {x}"])
    return [(form.format(x=text), dump(result))]


def sentiment_json(words):
    text, label, _, clause = review(words)
    if words.chance(0.5):
        form = words.choice(["Classify the sentiment as JSON: {x}", "Sentiment as JSON: {x}", "Answer as JSON. What is the sentiment? {x}"])
        return [(form.format(x=text), dump({"sentiment": label}))]
    form = words.choice(["Sentiment and reason as JSON: {x}", "Classify the sentiment as JSON with a reason: {x}", "Give the sentiment and the reason as JSON: {x}"])
    return [(form.format(x=text), dump({"sentiment": label, "reason": clause}))]


def quiz_json(words):
    lesson = make_lesson(words, 0)
    focus, question, answer, _ = lesson.asks[0]
    if words.chance(0.5):
        return [(f"Write a quiz item about {focus} as JSON.\nLesson: {lesson.text()}", dump({"question": question, "answer": answer}))]
    return [(f"Answer from the text as JSON.\nText: {lesson.text()}\nQuestion: {question}", dump({"answer": answer}))]


def field(words):
    """One value without JSON."""
    known = values(words)
    text = words.choice(SENTENCES).format(**known)
    key, forms = words.choice([("order", ["Extract the order number: {x}", "Order number: {x}", "What is the order number? {x}"]), ("name", ["Extract the name: {x}", "Name: {x}", "Who is writing? {x}"])])
    return [(words.choice(forms).format(x=text), known[key])]
