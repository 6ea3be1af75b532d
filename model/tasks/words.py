"""Random names, numbers and things. Names come from many syllable inventories, so that copying, not recall, is learnt."""
import re

ONSETS = [
    "b br c ch d dr f fl g gr h j k kl l m n p pr qu r s sh sk st t th tr v w y z".split(),
    "kh zh dz ts x gh ny ng mb nd kw hl lh rh tl".split(),
    "m n l r v s t k p h j".split(),
    "sch pf kr gl fr str bl dr sp z w".split(),
    "ll ñ q g c b m r t j".split(),
    "ð þ hv kj sn fj sv gr h".split(),
]
VOWELS = [
    "a e i o u".split(),
    "a e i o u ai ea io ou oa ee oo".split(),
    "a ä e i o ö u ü ei au".split(),
    "á é í ó ú a e o".split(),
    "aa ii uu a i o".split(),
    "è ê à o i eau".split(),
]
CODAS = [
    ["", "", "", "n", "l", "r", "s", "m", "t", "k"],
    ["", "nd", "rk", "st", "lt", "ng", "x", "ck", "sh", "th", "ld", "rn", "mp"],
    ["", "", "h", "q", "z", "b", "g", "j"],
    ["", "", "", ""],
]
ENDINGS = "ton ford ville berg heim stad by wick mouth field ham bury port dale ia ara ova ino ez ski sen".split()
FIRST = (
    "Anna Boris Carla David Elena Felix Grace Hugo Irene Jonas Karin Louis Maria Nadia Omar Petra Quinn Rosa Sven Tina Ursula "
    "Victor Wanda Xavier Yara Zoe Aisha Bilal Chen Dmitri Esra Farid Gita Hana Ivan Jia Kofi Lena Mei Nils Olga Paolo Ravi Sana "
    "Tomas Uma Vera Wei Yusuf Zara Alice Ben Clara Dan Emma Frank Gemma Harry Isla Jack Kate Leo Mia Noah Olive Pete Ruth Sam Tess "
    "Miguel Lucía Javier Sofía Jürgen Anke Günther Heike Chloé Étienne Amélie Luca Giulia Marco Chiara Søren Åse Łukasz Zofia Priya Kwame"
).split()
LAST = (
    "Adler Baker Costa Dunn Ellis Fox Gray Hill Ito Jansen Klein Lopez Moore Novak Olsen Park Quist Reyes Silva Turner Unger Vance "
    "West Young Zhou Banerjee Cohen Duarte Eriksen Ferrari García Haddad Ivanov Jensen Khan Larsen Müller Nakamura Okafor Pérez Rossi"
).split()
TITLES = "Dr Professor Captain Mrs Mr Sir Lady Sister Queen King Doctor Judge".split()
THINGS = (
    "phone laptop camera headset charger keyboard screen blender kettle toaster sofa chair lamp jacket backpack watch tablet printer "
    "router speaker mattress suitcase book game bicycle mirror carpet vase clock table desk drill ladder tent umbrella guitar piano "
    "violin basket bottle bucket candle key ring statue letter painting map coin boat kite wheel rope blanket scarf hat glove boot "
    "shirt coat bell cup plate pot pan spoon knife fork stove fridge radio lens battery cable helmet ball puzzle doll drum flute oven "
    "wagon cart stone box chest crown sword lantern telescope microscope compass diary notebook pencil brush hammer saw axe shovel"
).split()
ADJECTIVES = (
    "red blue green old new small large golden silver wooden broken heavy light black white yellow narrow round ancient quiet bright "
    "cold warm strange tall short wide deep soft hard empty full famous simple grey brown purple striped rusty shiny dusty tiny huge"
).split()
COLOURS = "red blue green yellow black white brown purple orange pink grey turquoise silver golden dark green light blue".replace("dark green", "dark-green").replace("light blue", "light-blue").split()
MATERIALS = "wood steel glass cotton leather paper stone copper clay silk wool bronze granite marble bamboo brick plastic tin oak concrete ice straw".split()
FOODS = [
    "apples", "rice", "bread", "cheese", "soup", "fish", "honey", "nuts", "grapes", "beans", "pasta", "potatoes", "carrots", "plums",
    "cherries", "olives", "seaweed", "mushrooms", "berries", "leaves", "seeds", "insects", "worms", "small fish", "roots", "grass",
    "eggs", "corn", "figs", "dates", "lentils", "cabbage", "onions", "garlic", "butter", "cream", "tea", "coffee", "milk", "lemonade",
    "peppermint tea", "goat cheese", "black bread", "pumpkin soup", "fried eggs", "salted almonds", "dried fruit", "roasted chestnuts",
]
ANIMALS = (
    "bear wolf fox otter owl eagle heron crane beetle spider ant bee moth snail frog toad newt salmon trout shark whale seal dolphin "
    "horse goat sheep cow donkey camel llama deer moose rabbit hare squirrel mouse rat bat hedgehog badger monkey lion tiger panther "
    "parrot penguin swan goose duck hen sparrow robin crow turtle lizard snake crab octopus"
).split()
JOBS = (
    "baker carpenter teacher doctor nurse farmer painter sailor pilot lawyer gardener engineer musician writer judge tailor smith "
    "librarian fisherman weaver miner cook driver plumber electrician architect chemist biologist historian astronomer dentist clerk "
    "poet sculptor journalist mechanic shepherd beekeeper clockmaker"
).split()
PLACES_IN = (
    "kitchen|garden|attic|cellar|garage|library|old mill|town hall|harbour|market square|railway station|school yard|museum|forest|"
    "castle|barn|workshop|office|post office|chapel|tower|greenhouse|bakery|theatre|hospital|main hall|north wing|second floor"
).split("|")
REAL_PLACES = (
    "Paris|London|Berlin|Madrid|Rome|Vienna|Oslo|Lisbon|Dublin|Cairo|Nairobi|Lima|Tokyo|Delhi|Beijing|Moscow|Athens|Warsaw|Prague|Boston|"
    "France|Spain|Italy|Germany|Egypt|Peru|Japan|India|China|Canada|Norway|Brazil|Mexico|Poland|Greece|Turkey|Ireland|Scotland|Chile|Cuba"
).split("|")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
SEASONS = ["spring", "summer", "autumn", "winter", "early spring", "late summer", "the rainy season", "the dry season"]
LANGUAGES = "English Spanish German French Italian Dutch Polish Greek Turkish Arabic Hindi Swahili Welsh Latin Finnish Danish Korean".split()
CAUSES = (
    "a storm|heavy rain|a fire|a flood|the war|a strike|low prices|a lack of money|high costs|an earthquake|bad weather|a broken pipe|"
    "strong winds|a long drought|thick fog|a power cut|repairs|the snow|a disease|rising water|a court decision|new safety rules|a dispute"
).split("|")
PURPOSES = (
    "cutting bread|measuring time|carrying water|catching fish|lifting stones|drying herbs|storing grain|crossing the river|cleaning wool|"
    "finding metals|making paper|pressing oil|watching the stars|sending messages|heating the house|teaching children|repairing boats|"
    "mixing paint|cooling milk|grinding corn|sorting letters|holding tools|guiding ships|counting votes|printing maps"
).split("|")
UNITS = {
    "length": "metres kilometres miles feet centimetres inches".split(),
    "weight": "kilograms grams tonnes pounds".split(),
    "volume": "litres gallons barrels".split(),
    "duration": "minutes hours days weeks months years".split(),
    "money": "dollars euros pounds crowns francs pesos coins yen".split(),
}
NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety".split()
SLOT = re.compile(r"\{(\w+?)(\d?)\}")


def capital(text):
    return text[:1].upper() + text[1:]


class Words:
    """Draws words; every method name can stand in braces in a template (`{person}`, `{person2}`)."""

    def __init__(self, random):
        self.random = random
        self.choice = random.choice

    def chance(self, share):
        return self.random.random() < share

    def syllables(self, low=1, high=3):
        kind = self.random.choices((0, 1), (7, 3))[0]
        onsets = ONSETS[0] if kind == 0 else self.choice(ONSETS)
        vowels = VOWELS[0] if kind == 0 else self.choice(VOWELS)
        codas = CODAS[0] if self.chance(0.6) else self.choice(CODAS)
        count = min(high, max(low, self.random.choice((1, 1, 2, 2, 2, 3))))
        return "".join(self.choice(onsets) + self.choice(vowels) + self.choice(codas) for _ in range(count))

    def pseudo(self):
        word = self.syllables(1, 3) if self.chance(0.75) else self.syllables(1, 2) + self.choice(ENDINGS)
        if len(word) < 3:
            word += self.syllables(1, 1)
        if self.chance(0.04):
            return word.capitalize() + self.choice("'-") + self.syllables(1, 2).capitalize()
        return word.capitalize()

    def name(self):
        """A proper name of one to three words."""
        share = self.random.random()
        if share < 0.66:
            return self.pseudo()
        if share < 0.86:
            return f"{self.pseudo()} {self.pseudo()}"
        if share < 0.93:
            return f"{self.choice(['Old', 'New', 'Little', 'Great', 'Upper', 'Saint', 'Port', 'North', 'Blue', 'Red'])} {self.pseudo()}"
        return f"{self.pseudo()} {self.choice(['of', 'de', 'van', 'al', 'and'])} {self.pseudo()}"

    def first(self):
        return self.choice(FIRST) if self.chance(0.55) else self.pseudo()

    def last(self):
        return self.choice(LAST) if self.chance(0.4) else self.pseudo()

    def person(self):
        share = self.random.random()
        if share < 0.35:
            return self.first()
        if share < 0.9:
            return f"{self.first()} {self.last()}"
        return f"{self.choice(TITLES)} {self.last()}"

    def place(self):
        return self.choice(REAL_PLACES) if self.chance(0.2) else self.name()

    def number(self):
        digits = self.random.choice((1, 2, 2, 3, 3, 4, 5))
        value = self.random.randint(2, 10**digits)
        return f"{value:,}" if value > 9999 and self.chance(0.5) else str(value)

    def small(self):
        return self.choice(NUMBER_WORDS) if self.chance(0.5) else str(self.random.randint(2, 60))

    def code(self):
        letters = "".join(self.choice("ABCDEFGHJKLMNPRSTVWXYZ") for _ in range(self.random.randint(1, 3)))
        return letters + self.choice(["", "-"]) + str(self.random.randint(10, 99999))

    def order(self):
        share = self.random.random()
        if share < 0.6:
            return str(self.random.randint(10**3, 10**self.random.randint(4, 8)))
        if share < 0.8:
            return self.code()
        return f"{self.choice('ABCDEKMRTX')}{self.random.randint(100, 999)}-{self.random.randint(10, 9999)}"

    def year(self):
        return str(self.random.randint(1100, 2029))

    def date(self):
        share, day = self.random.random(), self.random.randint(1, 28)
        if share < 0.4:
            return f"{day} {self.choice(MONTHS)}"
        if share < 0.7:
            return f"{self.choice(MONTHS)} {day}"
        return f"{day} {self.choice(MONTHS)} {self.year()}"

    def day(self):
        return self.choice(DAYS)

    def month(self):
        return self.choice(MONTHS)

    def season(self):
        return self.choice(SEASONS)

    def time(self):
        share = self.random.random()
        if share < 0.4:
            return f"{self.random.randint(1, 12)} {self.choice(['am', 'pm', 'in the morning', 'in the evening'])}"
        if share < 0.8:
            return f"{self.random.randint(0, 23)}:{self.random.choice(['00', '15', '30', '45'])}"
        return self.choice(["noon", "midnight", "sunrise", "sunset", "half past nine", "a quarter to six", "dawn"])

    def measure(self, kind):
        return f"{self.choice([self.small, self.number])()} {self.choice(UNITS[kind])}"

    def length(self):
        return self.measure("length")

    def weight(self):
        return self.measure("weight")

    def volume(self):
        return self.measure("volume")

    def duration(self):
        return self.measure("duration")

    def money(self):
        share, amount = self.random.random(), self.random.randint(2, 5000)
        if share < 0.25:
            return f"{self.choice('$€£')}{amount}"
        if share < 0.35:
            return f"{amount}.{self.random.randint(10, 99)} {self.choice(UNITS['money'])}"
        return f"{amount} {self.choice(UNITS['money'])}"

    def thing(self):
        return self.choice(THINGS) if self.chance(0.5) else f"{self.choice(ADJECTIVES)} {self.choice(THINGS)}"

    def athing(self):
        thing = self.thing()
        return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"

    def things(self):
        return f"{self.choice(ADJECTIVES)} {self.choice(THINGS)}s"

    def colour(self):
        return self.choice(COLOURS)

    def material(self):
        return self.choice(MATERIALS)

    def food(self):
        return self.choice(FOODS)

    def animal(self):
        return self.choice(ANIMALS)

    def animals(self):
        return {"mouse": "mice", "wolf": "wolves", "goose": "geese"}.get(name := self.animal(), name + "s")

    def job(self):
        return self.choice(JOBS)

    def spot(self):
        return self.choice(PLACES_IN)

    def language(self):
        return self.choice(LANGUAGES) if self.chance(0.6) else self.pseudo()

    def cause(self):
        return self.choice(CAUSES)

    def purpose(self):
        return self.choice(PURPOSES)

    def title(self):
        """Title of a book, film or song."""
        share = self.random.random()
        if share < 0.4:
            return f"The {self.choice(ADJECTIVES).capitalize()} {self.choice(THINGS).capitalize()}"
        if share < 0.7:
            return f"{self.choice(['A', 'The', 'My'])} {self.choice(THINGS).capitalize()} of {self.pseudo()}"
        return self.name()

    def fill(self, template, known):
        """Replaces every slot; `known` keeps what was drawn, so that one slot reads the same everywhere."""

        def value(match):
            key = match.group(1) + match.group(2)
            if key not in known:
                known[key] = getattr(self, match.group(1))()
            return known[key]

        return SLOT.sub(value, template)
