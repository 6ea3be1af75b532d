"""Labels: sentiment, what a customer wants, and the language of a text."""
from tasks.support import LANGUAGE_SHARES, LANGUAGES, PARSED, Case

SUBJECTS = {
    "en": (
        "phone|laptop|camera|headset|charger|keyboard|screen|blender|kettle|sofa|chair|lamp|jacket|backpack|shoes|watch|tablet|printer|router|mattress|"
        "book|game|app|website|update|service|hotel|room|restaurant|pizza|burger|soup|coffee|flight|train ride|tour|museum|course|lesson|teacher|film|show|"
        "concert|song|shop|subscription|bank|driver|waiter|staff|support team|doctor|bike|tool|garden|blanket|toy|delivery|battery|sound|design|food|breakfast|"
        "view|location|price|packaging|interface|instructions|checkout|seat|parking|beach|pool|ending|story|cake|salad|trip"
    ).split("|"),
    "es": "el producto|el teléfono|el hotel|el servicio|el libro|el café|el viaje|el curso|el juego|el restaurante|la cámara|la comida|la aplicación|la habitación|la película|la tienda|la entrega|la batería|la pantalla".split("|"),
    "de": "das Produkt|das Handy|das Hotel|das Buch|das Zimmer|das Essen|das Spiel|der Service|der Kurs|der Film|der Kaffee|der Laden|der Akku|die Kamera|die App|die Lieferung|die Reise|die Webseite|die Beratung".split("|"),
    "fr": "le produit|le téléphone|l'hôtel|le service|le livre|le café|le voyage|le cours|le jeu|le restaurant|la chambre|le repas|le film|le magasin|l'écran".split("|"),
    "it": "il prodotto|il telefono|l'albergo|il servizio|il libro|il caffè|il viaggio|il corso|il gioco|il ristorante|il film|il negozio|il pranzo|lo schermo".split("|"),
}
GOOD = {
    "en": (
        "great|good|excellent|amazing|wonderful|fantastic|superb|lovely|brilliant|perfect|outstanding|delightful|impressive|reliable|solid|beautiful|awesome|"
        "comfortable|helpful|friendly|polite|fast|smooth|clear|fresh|delicious|clean|quiet|easy to use|fair|generous|professional|charming|cosy|fun|flawless|tasty|super"
    ).split("|"),
    "es": "excelente|genial|increíble|fantástico|maravilloso|perfecto|muy bueno|agradable|rápido|fácil de usar|fiable|estupendo".split("|"),
    "de": "ausgezeichnet|toll|super|großartig|wunderbar|fantastisch|perfekt|sehr gut|angenehm|schnell|zuverlässig|freundlich|hervorragend|klasse".split("|"),
    "fr": "excellent|génial|incroyable|fantastique|merveilleux|parfait|très bon|agréable|rapide|fiable|superbe|impeccable".split("|"),
    "it": "eccellente|ottimo|incredibile|fantastico|meraviglioso|perfetto|molto buono|piacevole|veloce|affidabile|bellissimo".split("|"),
}
BAD = {
    "en": (
        "bad|terrible|awful|horrible|poor|disappointing|dreadful|useless|broken|faulty|slow|rude|dirty|noisy|stale|bland|ugly|flimsy|confusing|unreliable|"
        "overpriced|boring|annoying|frustrating|late|damaged|defective|unhelpful|careless|blurry|uncomfortable|disgusting|pathetic|mediocre|unacceptable|buggy|cold|too expensive"
    ).split("|"),
    "es": "horrible|terrible|malo|pésimo|lento|decepcionante|caro|defectuoso|sucio|aburrido|inútil|ruidoso|desagradable|inaceptable".split("|"),
    "de": "schrecklich|furchtbar|schlecht|langsam|enttäuschend|zu teuer|kaputt|schmutzig|langweilig|nutzlos|laut|unfreundlich|mangelhaft|miserabel".split("|"),
    "fr": "horrible|terrible|mauvais|nul|lent|décevant|trop cher|défectueux|sale|ennuyeux|inutile|bruyant|désagréable|inacceptable".split("|"),
    "it": "orribile|terribile|pessimo|brutto|lento|deludente|troppo caro|difettoso|sporco|noioso|inutile|rumoroso|inaccettabile".split("|"),
}
LOVE = {
    "en": "I love|I really like|I enjoy|We love|My family loves|I am happy with|I am so pleased with|I am delighted with|I'm impressed by|I highly recommend|Thank you for|I am glad I bought|Everyone should try|My kids enjoy".split("|"),
    "es": "Me encanta|Me gusta mucho|Recomiendo|Estoy contento con|Estoy muy feliz con|Gracias por".split("|"),
    "de": "Ich liebe|Ich mag|Ich empfehle|Wir lieben|Danke für|Meine Kinder lieben".split("|"),
    "fr": "J'adore|J'aime beaucoup|Je recommande|Nous adorons|Merci pour".split("|"),
    "it": "Adoro|Mi piace molto|Consiglio|Sono contento:|Grazie per".split("|"),
}
HATE = {
    "en": "I hate|I really dislike|I can't stand|I regret buying|I am unhappy with|I am disappointed with|I am fed up with|I am angry about|I would not recommend|Stay away from|Avoid|Never buy|I want a refund for|I wasted my money on|I am tired of|We were let down by".split("|"),
    "es": "Odio|No me gusta|No recomiendo|Estoy decepcionado con|Estoy harto de|Eviten|Me arrepiento de comprar".split("|"),
    "de": "Ich hasse|Ich bereue|Ich mag nicht|Nie wieder|Ich ärgere mich über|Ich beschwere mich über".split("|"),
    "fr": "Je déteste|Je n'aime pas|Je ne recommande pas|Évitez|Je regrette d'avoir acheté".split("|"),
    "it": "Odio|Non mi piace|Non consiglio|Evitate|Mi pento di aver comprato".split("|"),
}
PRAISE = {
    "en": (
        "It works perfectly|It works like a charm|It arrived early|It made my day|It exceeded my expectations|It was worth every penny|I would buy it again|We will be back|"
        "It saves me so much time|Everything went smoothly|It made us smile|Five stars|Keep up the good work|Best purchase I ever made|I could not be happier|It never lets me down|"
        "They solved my problem in minutes|They went out of their way to help us|It is better than I hoped|I can't stop using it|It is a bargain|What a treat|Nothing to complain about|"
        "We had a wonderful time|The kids were laughing all evening|Exactly what I needed|I am over the moon|Ten out of ten|My parents were thrilled|Works better than my old one"
    ).split("|"),
    "es": "Funciona perfectamente|Llegó antes de tiempo|Volveré a comprar|Vale cada céntimo|Superó mis expectativas|Me ayudaron enseguida|Todo salió bien|Cinco estrellas|Justo lo que necesitaba".split("|"),
    "de": "Es funktioniert einwandfrei|Alles war bestens|Ich bin sehr zufrieden|Ich bin begeistert|Ich komme gerne wieder|Jeden Cent wert|Man hat mir sofort geholfen|Fünf Sterne|Genau was ich brauchte".split("|"),
    "fr": "Ça marche parfaitement|Tout s'est bien passé|Je suis ravi|Je reviendrai|Cinq étoiles|Ils m'ont aidé tout de suite|Exactement ce qu'il me fallait|Rien à redire".split("|"),
    "it": "Funziona perfettamente|Tutto è andato bene|Sono molto soddisfatto|Tornerò|Cinque stelle|Mi hanno aiutato subito|Proprio quello che cercavo|Niente da ridire".split("|"),
}
BLAME = {
    "en": (
        "It stopped working|It broke after one day|It fell apart within a week|It keeps crashing|It does not work|It arrived late|It never arrived|It ruined my day|It was a waste of money|"
        "It was a waste of time|I will never buy it again|Nobody answered my calls|They ignored my messages|They refused to help|They lost my order|They charged me twice|One star|"
        "Worst purchase I ever made|I want my money back|It is full of bugs|It is a scam|It overheats all the time|I have been waiting for weeks|Nothing works|Everything went wrong|"
        "I will cancel my account|It failed again|It gave me a headache|I am still waiting for an answer|Save your money|I threw it away|We left after ten minutes|Still no reply|It smelled strange and leaked"
    ).split("|"),
    "es": "No funciona|Dejó de funcionar|Llegó roto|Llegó tarde|Es una estafa|Nadie me ayudó|Quiero mi dinero|No volveré nunca|Se rompió el primer día|Todo salió mal|Una estrella".split("|"),
    "de": "Es funktioniert nicht|Es ist sofort kaputt gegangen|Es kam zu spät|Nichts funktioniert|Ich bin sehr enttäuscht|Nie wieder|Niemand hilft mir|Ich will mein Geld zurück|Ein Stern|Alles ging schief".split("|"),
    "fr": "Ça ne marche pas|Il est arrivé cassé|Rien ne fonctionne|Je suis très déçu|Plus jamais|Personne ne m'a aidé|Je veux mon argent|Une étoile|Tout s'est mal passé|C'est une arnaque".split("|"),
    "it": "Non funziona|È arrivato rotto|Si è rotto il primo giorno|Sono molto deluso|Mai più|Nessuno mi ha aiutato|Rivoglio i miei soldi|Una stella|Tutto è andato male|È una truffa".split("|"),
}
PLAIN = {
    "en": (
        "The {t} arrived on {day}|The {t} weighs {small} kilos|The {t} comes in {colour}|The {t} costs {small} dollars|I bought the {t} on {day}|The {t} has {small} parts|We ordered the {t} in {month}|"
        "The {t} opens at {time}|The meeting is on {day}|The manual is {small} pages long|Please see the attached file|The report is due on {day}|The train leaves at {time}|She works at the {spot}|"
        "The order number is {order}|The box contains a {t} and a cable|The next version comes out in {month}|The {t} is {colour}|Press the button for {small} seconds|The office has {small} rooms|"
        "I have a question about the {t}|The {t} is made of {material}|The address is on the second page|My sister also has a {t}|Where is the {t}|How many rooms are there|Can you send me the form|"
        "The {spot} is open from {time} to {time2}|{person} put the {thing} in the {spot}|The bus goes to the {spot} at {time}|It comes with a {thing}|They moved to {place} in {year}|He is {small} years old"
    ).split("|"),
    "es": "{T} pesa {small2} kilos|{T} llegó el lunes|{T} cuesta {n} euros|La reunión es el martes|El tren sale a las {n}|La tienda abre a las {n}|Vivo cerca de la estación|Adjunto la factura|El manual tiene {n} páginas".split("|"),
    "de": "{T} wiegt {n} Kilo|{T} kam am Montag|{T} kostet {n} Euro|Das Treffen ist am Dienstag|Der Zug fährt um {n} Uhr|Der Laden öffnet um {n} Uhr|Ich wohne neben dem Bahnhof|Die Rechnung ist im Anhang|Die Anleitung hat {n} Seiten".split("|"),
    "fr": "{T} pèse {n} kilos|{T} est arrivé lundi|{T} coûte {n} euros|La réunion est mardi|Le train part à {n} heures|J'habite près de la gare|La facture est en pièce jointe|Le manuel a {n} pages".split("|"),
    "it": "{T} pesa {n} chili|{T} è arrivato lunedì|{T} costa {n} euro|La riunione è martedì|Il treno parte alle {n}|Abito vicino alla stazione|Allego la fattura|Il manuale ha {n} pagine".split("|"),
}
BE = {"en": ["is", "was", "looks", "feels", "turned out to be"], "es": ["es", "fue"], "de": ["ist", "war"], "fr": ["est", "était"], "it": ["è", "era"]}
AND = {"en": "and", "es": "y", "de": "und", "fr": "et", "it": "e"}
BUT = {"en": "but", "es": "pero", "de": "aber", "fr": "mais", "it": "ma"}
VERY = {"en": ["", "", "very ", "really ", "so ", "quite ", "absolutely ", "incredibly "], "es": [""], "de": ["", "wirklich "], "fr": ["", "vraiment "], "it": ["", "davvero "]}
OPENERS = ["", "", "", "Honestly, ", "To be honest, ", "In my opinion, ", "I must say, ", "Overall, ", "So far, ", "Wow, ", "Well, ", "After a month, "]
LANGUAGE_NAMES = {"en": "English", "es": "Spanish", "de": "German", "fr": "French", "it": "Italian"}
SENTIMENTS = ["positive", "negative", "neutral"]


def lower_first(text):
    return text if text.startswith(("I ", "I'")) else text[0].lower() + text[1:]


def plain_clause(words, language):
    subject = words.choice(SUBJECTS[language])
    number = str(words.random.randint(2, 60))
    known = dict(t=subject, T=subject[0].upper() + subject[1:], n=number, small2=number)
    return words.fill(words.choice(PLAIN[language]), known)


def opinion(words, language, sentiment):
    """One clause with an opinion; English has a few more shapes (negation, irony, having no problems)."""
    good = sentiment == "positive"
    adjective, opposite = (GOOD, BAD) if good else (BAD, GOOD)
    subject = words.choice(SUBJECTS[language])
    share = words.random.random()
    if share < 0.25:
        return words.choice((PRAISE if good else BLAME)[language])
    if share < 0.4:
        determiner = words.choice(["this ", "the ", "your ", "my new "]) if language == "en" else ""
        return f"{words.choice((LOVE if good else HATE)[language])} {determiner}{subject}"
    if language == "en" and share < 0.62:
        return english_opinion(words, good, subject, adjective["en"], opposite["en"])
    if language == "en":
        subject = words.choice(["The ", "The ", "This ", "My new ", "Your "]) + subject
    text = f"{subject[0].upper()}{subject[1:]} {words.choice(BE[language])} {words.choice(VERY[language])}{words.choice(adjective[language])}"
    if words.chance(0.3):
        text += f" {AND[language]} {words.choice(adjective[language])}"
    return text


def english_opinion(words, good, subject, adjective, opposite):
    shape = words.random.randrange(5)
    if shape == 0:
        return f"The {subject} {words.choice(['is not', 'was not', 'isn' + chr(39) + 't', 'wasn' + chr(39) + 't'])} {words.choice(['', 'at all ', 'very '] if not good else ['', 'at all '])}{words.choice(opposite)}"
    if shape == 1:
        return f"What a {words.choice(adjective)} {subject}"
    if shape == 2 and good:
        return f"{words.choice(['I have never had', 'There were no', 'We had no'])} {words.choice(['problems', 'issues', 'complaints'])} with the {subject}"
    if shape == 2:
        return f"{words.choice(['I have had nothing but', 'There are too many', 'I keep having'])} {words.choice(['problems', 'issues', 'trouble', 'errors'])} with the {subject}"
    if shape == 3 and not good:
        return f"{words.choice(['Great, another', 'Oh great, another', 'Wonderful, yet another', 'Thanks for another'])} {words.choice(['crash', 'delay', 'bug', 'bill', 'error', 'outage', 'broken ' + subject])}"
    if shape == 3:
        return f"Not {words.choice(['bad', 'bad at all', 'disappointing at all'])}, {words.choice(['I like it', 'good value', 'would buy again', 'it works'])}"
    return f"{words.choice(['The staff', 'The driver', 'Your support team', 'The waiter', 'They'])} were {words.choice(adjective)}"


def review(words, language=None, sentiment=None):
    """Text, sentiment, language and the clause that decides it."""
    language = language or words.random.choices(LANGUAGES, (5, 1.2, 1.2, 1, 1))[0]
    sentiment = sentiment or words.choice(SENTIMENTS)
    if sentiment == "neutral":
        clause = plain_clause(words, language)
        text = clause if words.chance(0.7) else f"{clause}. {plain_clause(words, language)}"
        return text + words.choice([".", ".", ""]), sentiment, language, clause
    clause = text = opinion(words, language, sentiment)
    share = words.random.random()
    other = "negative" if sentiment == "positive" else "positive"
    if share < 0.25:
        text += words.choice([". ", "! ", ". "]) + opinion(words, language, sentiment)
    elif share < 0.37:
        text = f"{opinion(words, language, other)}, {BUT[language]} {lower_first(text)}"
    elif share < 0.5:
        text += ". " + plain_clause(words, language)
    elif share < 0.6:
        text = plain_clause(words, language) + ". " + text
    elif language == "en" and (opener := words.choice(OPENERS)):
        text = opener + lower_first(text)
    if words.chance(0.07):
        text, clause = text.lower(), clause.lower()
    return text + words.choice([".", ".", "!", "", "..."]), sentiment, language, clause


SENTIMENT_FORMS = [
    "Classify the sentiment: {x}", "Sentiment: {x}", "What is the sentiment of this message? {x}", "Is this positive, negative or neutral? {x}",
    "Classify the sentiment as positive, negative or neutral.\nText: {x}", "What is the sentiment?\nText: {x}", "{x}\nSentiment:", "Label this review: {x}",
]
INTENT_FORMS = ["What does the customer want? {x}", "Intent: {x}", "Classify the intent: {x}", "What is the intent of this message? {x}", "Intent of the customer?\nMessage: {x}"]
LANGUAGE_FORMS = ["Language: {x}", "Which language is this? {x}", "What language is this text? {x}", "Detect the language: {x}", "Name the language.\nText: {x}"]


def sentiment(words):
    text, label, _, _ = review(words)
    return [(words.choice(SENTIMENT_FORMS).format(x=text), label)]


def intent(words):
    case = Case(words)
    return [(words.choice(INTENT_FORMS).format(x=case.message), case.topic)]


def language(words):
    code = words.choice(LANGUAGES)
    if words.chance(0.5):
        text = review(words, code)[0]
    elif words.chance(0.4):
        text = words.choice(PARSED[code][words.choice(list(PARSED[code]))][0]).format(**Case(words, code).values)
    else:
        text = Case(words, code).message
    return [(words.choice(LANGUAGE_FORMS).format(x=text), LANGUAGE_NAMES[code])]
