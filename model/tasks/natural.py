"""Freer sentences: any verb, any attribute, and longer sentences with clauses that hold several facts at once."""
from tasks.words import capital

VERBS = (  # base past participle
    "find found found|buy bought bought|sell sold sold|repair repaired repaired|lose lost lost|steal stole stolen|clean cleaned cleaned|paint painted painted|"
    "break broke broken|hide hid hidden|borrow borrowed borrowed|move moved moved|open opened opened|close closed closed|drop dropped dropped|send sent sent|"
    "burn burned burned|test tested tested|build built built|make made made|write wrote written|read read read|draw drew drawn|carry carried carried|"
    "bring brought brought|take took taken|keep kept kept|leave left left|see saw seen|meet met met|visit visited visited|paint painted painted|cook cooked cooked|"
    "eat ate eaten|drink drank drunk|plant planted planted|cut cut cut|wash washed washed|fix fixed fixed|design designed designed|invent invented invented|"
    "discover discovered discovered|describe described described|order ordered ordered|return returned returned|catch caught caught|throw threw thrown|hold held held|"
    "win won won|teach taught taught|study studied studied|collect collected collected|choose chose chosen|check checked checked|count counted counted|weigh weighed weighed|"
    "measure measured measured|photograph photographed photographed|rent rented rented|wear wore worn|polish polished polished|rescue rescued rescued|bury buried buried|"
    "deliver delivered delivered|fold folded folded|forget forgot forgotten|give gave given|inherit inherited inherited|lend lent lent|lift lifted lifted|publish published published|"
    "present presented presented|print printed printed|protect protected protected|pull pulled pulled|push pushed pushed|restore restored restored|save saved saved|"
    "translate translated translated|unlock unlocked unlocked|use used used|want wanted wanted|watch watched watched|compose composed composed|found founded founded|lead led led"
).split("|")
VERBS = [verb.split() for verb in VERBS]
ATTRIBUTES = {  # kind of value: what has it
    "pseudo": "name|brand|label|nickname|symbol|motto|title|language|currency|anthem|password|species|type|model|family|capital|main river|main square|best wine|national dish|official name|old name|first name|signal|code word",
    "person": "owner|founder|director|manager|head|captain|author|designer|builder|keeper|driver|doctor|teacher|coach|chef|judge|editor|composer|leader|winner|inventor|architect|president|king|queen|mayor|secretary|engineer|guide|sponsor|chairman|landlord|pilot|best player|first teacher|head cook",
    "number": "number of rooms|number of pages|number of visitors|number of members|number of steps|population|number of students|number of seats|number of species|serial number|room number|page count|speed limit|score",
    "length": "height|length|depth|width|size|distance|range|diameter",
    "weight": "weight|load|mass",
    "money": "price|cost|fee|rent|value|salary|fine|prize money|ticket price|annual fee|toll|budget",
    "year": "year of birth|founding year|first year|year of construction|opening year|last year of use",
    "date": "date|deadline|birthday|opening day|exam date|last day",
    "time": "opening time|closing time|start|departure time|arrival time|lunch break",
    "colour": "colour|favourite colour|colour of the door|colour of the roof",
    "material": "material|main material|building material",
    "food": "food|favourite food|favourite dish|diet|breakfast|main crop|most important export",
    "place": "birthplace|home|home town|location|head office|capital|seat|address|destination|port|origin|workplace|factory|main market",
    "cause": "cause|reason|main problem|cause of the delay",
    "purpose": "purpose|main use|task|aim",
    "animal": "mascot|emblem|pet|national animal|enemy",
    "duration": "duration|life span|length of the trip|waiting time|warranty|cooking time|age",
    "spot": "meeting place|hiding place|place|usual seat",
    "job": "job|profession|occupation|first job",
}
SHARED = """
When {name} opened in {year}, it was the longest bridge in {place}.|{name}, the longest bridge in {place}, opened in {year}. > when the bridge opened|when {name} opened|the opening > When did {name} open? > {year} && the longest bridge|the bridge in {place} > What is the longest bridge in {place}?|Which bridge was the longest in {place}? > {name}
{name} was paid for by {person}, a {job} from {place}.|{person}, a {job} from {place}, paid for {name}. > who paid for {name}|the money for {name} > Who paid for {name}? > {person} && the home of {person} > Where did {person} come from? > {place}
In {year} {person} invented the {pseudo} in the town of {place}.|The {pseudo} was invented by {person} in {place} in {year}.|{person} from {place} invented the {pseudo} in {year}. > the inventor of the {pseudo}|who invented the {pseudo} > Who invented the {pseudo}? > {person} && the year of the invention|when the {pseudo} was invented > When was the {pseudo} invented? > {year} && the place of the invention|where the {pseudo} was invented > Where was the {pseudo} invented? > {place}
The {pseudo} is a small {animal} that feeds on {food} and weighs only {weight}.|The {pseudo}, a {animal} of the north, eats {food} and weighs {weight}. > the diet of the {pseudo}|what the {pseudo} eats|the food > What does the {pseudo} eat?|What does the {pseudo} feed on? > {food} && the weight of the {pseudo}|how much it weighs|how heavy the {pseudo} is > How much does the {pseudo} weigh?|How heavy is the {pseudo}? > {weight}
{person} was born in {place} and grew up in {place2}.|Born in {place}, {person} grew up in {place2}. > the birthplace of {person}|where {person} was born > Where was {person} born? > {place} && where {person} grew up|the childhood of {person} > Where did {person} grow up? > {place2}
{person} became a {job} and later the mayor of {place}.|{person}, a {job}, later became mayor of {place}. > the job of {person}|what {person} was at first > What was the job of {person}?|What did {person} become? > {job} && where {person} was mayor > Where was {person} mayor? > {place}
The highest {choicegeo} of {place} is {name}, at {length}.|At {length}, {name} is the highest {choicegeo} of {place}.|{name} ({length}) is the highest {choicegeo} in {place}. > the highest {choicegeo}|the {choicegeo} > What is the highest {choicegeo} of {place}?|What is the highest {choicegeo}? > {name} && the height of {name}|how high {name} is > How high is {name}? > {length}
The {spot} opens at {time} and closes at {time2}.|The {spot} is open from {time} to {time2}. > when the {spot} opens|the opening time > When does the {spot} open? > {time} && when the {spot} closes|the closing time > When does the {spot} close? > {time2}
The train from {place} to {place2} leaves from platform {small} at {time}.|At {time} the train from {place} to {place2} leaves from platform {small}. > when the train leaves|the departure of the train > When does the train leave?|At what time does the train to {place2} leave? > {time} && the destination of the train|where the train goes > Where does the train go? > {place2} && the platform > From which platform does the train leave? > platform {small}
{name} left {place} on {date} with {number} people on board.|On {date} {name} left {place} with {number} passengers.|With {number} people on board, {name} sailed from {place} on {date}. > when {name} left|the date of departure > When did {name} leave? > {date} && the number of passengers|how many people were on board > How many people were on board? > {number} && where {name} started|the port > Where did {name} leave from?|Which place did {name} leave? > {place}
It sank near {place} because of {cause}.|She was lost near {place} because of {cause}. > why it sank|the reason for the loss|the cause of the sinking > Why did it sink?|What was the cause of the loss? > {cause} && where it sank|the place of the sinking > Where did it sink? > {place}
{person} gave the {thing} to {person2}, who sold it to {person3}.|{person} gave {person2} the {thing}, and {person2} sold it to {person3}. > who got the {thing} first|the first new owner > Who got the {thing} from {person}? > {person2} && who bought the {thing}|the buyer > Who bought the {thing}? > {person3} && the first owner|who gave the {thing} away > Who gave the {thing} away? > {person}
If the alarm rings, call {person} on {order}.|Call {person} on {order} if the alarm rings. > who to call|the person to call > Who should be called if the alarm rings?|Who should I call if the alarm rings? > {person} && the number to call|the phone number > Which number should be called? > {order}
{person} keeps the keys behind the {thing}.|The keys are behind the {thing}, where {person} keeps them. > the keys|where the keys are > Where are the keys?|Where does {person} keep the keys? > behind the {thing}
The fire in {place} burned for {duration} and was caused by {cause}.|{cause} caused the fire in {place}, which burned for {duration}. > the cause of the fire > What caused the fire?|What was the cause of the fire? > {cause} && how long the fire burned|the length of the fire > How long did the fire burn? > {duration}
{person} wrote {title} in {year}.|{title}, written by {person}, appeared in {year}.|In {year} {person} wrote {title}. > the author of {title}|who wrote {title}|the writer > Who wrote {title}? > {person} && when {title} was written|the year > When was {title} written?|When did {person} write {title}? > {year}
The novel is set in a port called {place} and won the {pseudo} Prize.|The book, which is set in {place}, won the {pseudo} Prize. > the setting|where the story is set > Where is the book set?|Where does the story take place? > {place} && the prize > Which prize did the book win?|What did the book win? > {pseudo} Prize
The moon {name} circles its planet in {duration}.|{name} is a moon that circles its planet in {duration}. > the orbit of {name}|how long {name} needs > How long does {name} take to circle its planet? > {duration}
The {pseudo} pumps the {food} and the {pseudo2} cleans it.|The {pseudo2} cleans the {food} that the {pseudo} pumps. > what pumps the {food} > What pumps the {food}? > {pseudo} && what cleans the {food} > What cleans the {food}? > {pseudo2}
The company was started by the twins {first} and {person}.|Two friends, {first} and {person}, started the company. > the founders|who started the company > Who started the company?|Who were the founders? > {first} and {person}
It employs {number} people and makes {things}.|It makes {things} and has {number} workers. > the number of workers|how many people work there > How many people work there?|How many people does it employ? > {number} && the products|what it makes > What does it make? > {things}
Last year it was won by the {job} {person}.|The {job} {person} won it last year. > last year's winner|the winner > Who won last year?|Who was last year's winner? > {person}
{animals} collect {food} and turn it into {food2}.|{food} is collected by {animals}, who turn it into {food2}. > what {animals} collect > What do {animals} collect? > {food} && what {animals} make > What do {animals} turn the {food} into?|What do {animals} make? > {food2}
A worker lives for {duration}, but the queen can live for {duration2}.|The queen can live for {duration2}, a worker only for {duration}. > the life of a worker|how long a worker lives > How long does a worker live? > {duration} && the life of the queen|how long the queen lives > How long can the queen live? > {duration2}
One {food} costs {money} and a {thing} costs {money2}.|You pay {money} for {food} and {money2} for a {thing}. > the price of {food} > How much does {food} cost? > {money} && the price of a {thing}|how much a {thing} costs > How much does a {thing} cost? > {money2}
On {day}s there is {food} and on {day2}s there is {food2}.|{food} is served on {day}s and {food2} on {day2}s. > when there is {food}|the day for {food} > On which day is there {food}? > {day}s && when there is {food2}|the day for {food2} > On which day is there {food2}? > {day2}s
Today it is a {choicenow} with {number} beds.|Now it is used as a {choicenow} and has {number} beds. > the present use|what it is today > What is it today?|What is it used as now? > {choicenow} && the number of beds|how many beds there are > How many beds does it have? > {number}
{S0} stands above the river {pseudo} and was built by {person} in {year}. > who built {S0}|the builder > Who built {S0}? > {person} && the river|the river below {S0} > Which river does {S0} stand above? > {pseudo} && when {S0} was built|the year of building > When was {S0} built? > {year}
"""
NOW = "youth hostel|museum|school|hotel|hospital|library|prison|restaurant|theatre|home for old people"


def phrase(words):
    """Something a person can do something to."""
    return words.choice([
        lambda: f"the {words.thing()}", lambda: words.athing(), lambda: f"{words.small()} {words.things()}", lambda: f"the {words.pseudo()} {words.choice(['letter', 'stone', 'map', 'key', 'machine', 'book', 'ring'])}",
        lambda: words.food(), lambda: f"the {words.animal()}", lambda: words.title(), lambda: f"the {words.thing()} of {words.pseudo()}",
    ])()


def when(words):
    """An adverbial of time and the answer inside it."""
    return words.choice([
        lambda: ("on ", words.day()), lambda: ("in ", words.year()), lambda: ("at ", words.time()), lambda: ("on ", words.date()), lambda: ("in ", words.month()),
        lambda: ("", words.choice(["yesterday", "last week", "last summer", "two days ago", "in the morning", "last year", "before breakfast", "after the war"])),
    ])()


def where(words):
    return words.choice([lambda: ("in the ", words.spot()), lambda: ("in ", words.place()), lambda: ("near ", words.place()), lambda: ("behind the ", words.spot()), lambda: ("at the ", words.spot())])()


def deed(words):
    """Somebody did something, perhaps somewhere and at some time: (sentence, asks)."""
    base, past, participle = words.choice(VERBS)
    person, thing, (at, place), (on, time) = words.person(), phrase(words), where(words), when(words)
    has_place, has_time = words.chance(0.5), words.chance(0.6)
    tail = (f" {at}{place}" if has_place else "") + (f" {on}{time}" if has_time else "")
    sentence = words.choice([f"{person} {past} {thing}{tail}.", f"{person} {past} {thing}{tail}.", f"{capital(thing)} was {participle} by {person}{tail}."])
    if has_time and words.chance(0.3):
        sentence = f"{capital(on + time)}, {person} {past} {thing}{f' {at}{place}' if has_place else ''}."
    asks = [
        ([f"who {past} {thing}", f"the person who {past} {thing}", f"{thing}"], [f"Who {past} {thing}?"] * 2 + [f"By whom was {thing} {participle}?"], person),
        ([f"what {person} {past}", f"what was {participle} by {person}"], [f"What did {person} {base}?", f"What was {participle} by {person}?"], thing),
    ]
    if has_time:
        asks.append(([f"when {person} {past} {thing}", f"when {thing} was {participle}"], [f"When did {person} {base} {thing}?", f"When was {thing} {participle}?"], time))
    if has_place:
        asks.append(([f"where {person} {past} {thing}", f"where {thing} was {participle}"], [f"Where did {person} {base} {thing}?", f"Where was {thing} {participle}?"], place if at in ("in the ", "in ", "at the ") else at + place))
    return sentence, asks


def attribute(words):
    """Something has an attribute with a value: (sentence, asks)."""
    kind = words.choice(list(ATTRIBUTES))
    noun = words.choice(ATTRIBUTES[kind].split("|"))
    value = getattr(words, kind)()
    owner = words.choice([lambda: f"the {words.thing()}", words.name, words.person, lambda: f"the {words.spot()}", lambda: f"the {words.pseudo()} {words.choice(['club', 'school', 'company', 'hotel', 'team', 'ship', 'river'])}", lambda: f"the {words.animal()}"])()
    sentence = words.choice([f"The {noun} of {owner} is {value}.", f"{capital(owner)}'s {noun} is {value}.", f"{capital(value)} is the {noun} of {owner}.", f"The {noun} of {owner} was {value}."])
    who = "Who" if kind == "person" else words.choice(["What", "What", "What"])
    asks = [([f"the {noun} of {owner}", f"the {noun}", f"{owner}'s {noun}", noun], [f"{who} is the {noun} of {owner}?", f"{who} is {owner}'s {noun}?", f"{who} is the {noun}?"], value)]
    return sentence, asks
