"""Support replies in five languages: find the fact that answers the customer, quote it, keep the order number."""
from tasks.quiz import LessonWords, make_lesson

# topic: facts > messages. {n} is the customer's order number; messages without {n} may get it from a tail.
TOPICS = {
    "en": """
delivery: Orders arrive within {d} working days.|Delivery takes {d} to {e} days.|We deliver every order within {d} days.|Standard shipping takes {d} days.|Parcels leave our warehouse within {d} hours. > Where is my order {n}?|My order {n} has not arrived yet.|When will my {i} arrive?|I am still waiting for my parcel.|How long does delivery take?|Order {n} is late, what is going on?|I bought a {i} last week and nothing came.|Has my package been shipped yet?|It has been two weeks and my {i} is still not here.|Any news about my parcel?|When can I expect order {n}?|My parcel should have been here on {day}.|The postman has not brought my {i}.|How many days until my {i} gets here?|I paid long ago but nothing has been delivered.|Tracking says nothing about my shipment.
return: You can return any item within {d} days.|Returns are free for {d} days.|Items can be sent back within {d} days of delivery.|Unused goods may be returned within {d} days. > I want to return the {i}.|How do I send order {n} back?|The {i} does not fit, can I return it?|Can I give the {i} back?|I changed my mind about order {n}.|I do not want the {i} any more.|The {i} is too small, I would like to send it back.|How can I return something I bought from you?|It is the wrong size.|I'd like to give back order {n}.|Do you take back a {i}?|The colour of the {i} is not what I expected, can it go back?
refund: Refunds are paid within {d} days.|We pay your money back within {d} days.|Refunds go to the card you paid with.|The money is back in your account after {d} days. > I want my money back.|When do I get my refund for order {n}?|I have not received my refund yet.|Please refund order {n}.|How long does a refund take?|Where is my money for order {n}?|You promised to pay me back for order {n}.|The money for order {n} is still not in my account.|I sent the {i} back, where is the money?|I was told I would be paid back.|How soon will I be refunded?|Nothing has been paid back so far.
damage: Broken items are replaced free of charge.|We replace damaged goods at no cost.|Send us a photo of the damage and we replace the item.|A broken part is replaced within {d} days. > My {i} arrived broken.|The {i} is damaged.|The {i} from order {n} has a crack.|My {i} came in pieces.|The {i} in order {n} does not work at all.|There is a scratch on my new {i}.|The {i} I received is broken.|There is a hole in my {i}.|The glass of the {i} was smashed when I opened the box.|My {i} stopped working after two days.|Everything in order {n} was in pieces.|The {i} leaks.
hours: We are open from {t} to {u}.|Our shop opens at {t} and closes at {u}.|Opening hours are {t} to {u}, Monday to Saturday.|The store is open every day until {u}. > When are you open?|What are your opening hours?|Are you open on {day}?|What time do you close?|How late can I come to the shop?|Is the store open tomorrow?|Until what time can I visit you?|Can I come by after work?|Are you open on holidays?|I want to drop by on {day}, when do you open?|How late are you open?|At what hour does the shop close?
phone: You can call us on {p}.|Our phone number is {p}.|Our hotline is {p}. > Can I call you?|What is your phone number?|I want to talk to a person.|Is there a number I can ring?|I need to speak to somebody.|Can somebody call me?|Please give me a number to call.|I would rather talk on the phone.|Is there a hotline?|I need to talk to someone on the phone.
address: Our shop is at {h} {x} Street.|You find our store at {h} {x} Road.|Our office is in {x}. > Where is your shop?|What is your address?|Where can I find you?|How do I get to your store?|Which street are you in?|I want to visit your shop, where is it?|Where are you located?|How can I find your office?
warranty: All products have a warranty of {d} years.|The warranty lasts {d} years.|Every {i} comes with a {d}-year guarantee. > How long is the warranty?|Do you give a guarantee on the {i}?|My {i} broke after a year, is it still under warranty?|Is my {i} still covered?|Does the {i} come with a guarantee?|How many years of guarantee do I get?|Is the {i} from order {n} still under guarantee?|What happens if the {i} breaks next year?
payment: You can pay by card or bank transfer.|We accept PayPal, cards and cash.|Payment by invoice is possible. > How can I pay?|Do you take credit cards?|Which payment methods do you accept?|Can I pay with PayPal?|May I pay by bank transfer?|Can I use my credit card?|Do you accept cash?|Is it possible to pay by invoice?|Do you take my bank card?
invoice: Invoices are sent by email.|You find your invoices under My account.|We email the invoice after {d} days. > I need an invoice for order {n}.|Where is my bill?|Can you send me a receipt for order {n}?|I have not got an invoice.|My accountant needs the bill for order {n}.|Please send me the invoice.|I cannot find the receipt.|I need the paper for my taxes, the invoice for order {n}.
cancel: Orders can be cancelled within {d} hours.|You can cancel an order until it is shipped.|Cancelling is free within {d} hours. > I want to cancel order {n}.|Please cancel my order.|Can I still cancel?|I ordered the {i} by mistake, stop it please.|Stop order {n}, I do not want it.|I clicked by accident, please cancel.|I would like to cancel what I ordered today.|Please do not send order {n}.
password: You can reset your password on the login page.|Click on Forgot password to get a new one.|A new password is sent by email. > I forgot my password.|I cannot log in.|My password does not work.|How do I get into my account?|I can't get into my account any more.|It will not let me log in.|I need a new password.|The login says my password is wrong.
cost: Shipping costs {m}.|Delivery is free for orders over {m}.|We charge {m} for delivery. > How much is shipping?|What does delivery cost?|Is shipping free?|Do I have to pay for delivery?|What do you charge for shipping?|How expensive is delivery?|How much do I pay for shipping to {y}?|Are there any delivery fees?
abroad: We ship to all countries in Europe.|We deliver to {x} and {y}.|International orders take {d} days. > Do you ship abroad?|Can you deliver to another country?|I live in {y}, do you send parcels there?|Do you also ship to {y}?|Can I order from {y}?|Is delivery to {y} possible?
gift: We wrap gifts for {m}.|Gift wrapping is free.|You can add a gift card for {m}. > Can you wrap the {i} as a gift?|It is a present, do you do gift wrapping?|Do you have gift paper?|It is for a birthday, could you wrap it?|Can it come in wrapping paper?|I want to give the {i} as a present, can you wrap it?
subscription: You can end your subscription at any time.|The subscription costs {m} a month.|Subscriptions renew on the {d}th of each month. > How do I end my subscription?|What does the subscription cost?|I want to stop my monthly plan.|How much is it per month?|I want to quit the subscription.|When does my subscription renew?
change: The delivery address can be changed in your account.|You can change the address until the parcel leaves.|Write to {mail} to change your address. > I moved, please change the address for order {n}.|The address of order {n} is wrong.|Can I change my delivery address?|I have a new address.|Please send order {n} to my new flat.|I gave you the wrong street for order {n}.
""",
    "es": """
delivery: Los pedidos llegan en {d} días laborables.|La entrega tarda {d} días.|Entregamos todos los pedidos en {d} días.|El envío normal tarda de {d} a {e} días. > ¿Dónde está mi pedido {n}?|Mi pedido {n} no ha llegado.|¿Cuándo llega mi {i}?|Sigo esperando mi paquete.|¿Cuánto tarda la entrega?|El pedido {n} va con retraso.|Compré una {i} y todavía no ha llegado.|Hice el pedido {n} hace dos semanas y no sé nada.|¿Cuándo llegará mi paquete?|Nadie ha traído mi {i}.
return: Puede devolver cualquier artículo en {d} días.|Las devoluciones son gratis durante {d} días.|Se pueden devolver los productos en {d} días. > Quiero devolver la {i}.|¿Cómo devuelvo el pedido {n}?|La {i} no me queda bien, ¿puedo devolverla?|Ya no quiero el pedido {n}.|La {i} me queda pequeña.|¿Puedo devolver lo que compré?
refund: Los reembolsos se pagan en {d} días.|Devolvemos el dinero en {d} días.|El reembolso llega a la misma tarjeta. > Quiero que me devuelvan el dinero.|¿Cuándo recibo el reembolso del pedido {n}?|Todavía no tengo mi reembolso.|Quiero un reembolso del pedido {n}.|Nadie me ha devuelto el dinero del pedido {n}.|¿Cuándo me pagan el reembolso?
damage: Los artículos rotos se cambian gratis.|Cambiamos los productos dañados sin coste.|Envíe una foto del daño y le mandamos otro artículo. > Mi {i} llegó rota.|La {i} está dañada.|La {i} del pedido {n} no funciona.|Mi {i} tiene un golpe.|La {i} se rompió en el camino.|Mi {i} ha llegado en pedazos.
hours: Abrimos de {t} a {u}.|La tienda abre a las {t} y cierra a las {u}.|Nuestro horario es de {t} a {u}. > ¿A qué hora abren?|¿Cuál es su horario?|¿Abren el {day}?|¿Cuándo cierran?|¿Hasta qué hora están abiertos?|¿A qué hora puedo ir a la tienda?
phone: Puede llamarnos al {p}.|Nuestro teléfono es el {p}. > ¿Puedo llamarles?|¿Cuál es su número de teléfono?|Quiero hablar con una persona.
address: Nuestra tienda está en la calle {x} {h}.|Nos encuentra en la plaza {x}. > ¿Dónde está su tienda?|¿Cuál es su dirección?|¿Dónde puedo encontrarles?
warranty: Todos los productos tienen una garantía de {d} años.|La garantía dura {d} años. > ¿Cuánto dura la garantía?|¿Tiene garantía la {i}?|Mi {i} se rompió, ¿aún tiene garantía?
payment: Puede pagar con tarjeta o por transferencia.|Aceptamos PayPal, tarjetas y efectivo. > ¿Cómo puedo pagar?|¿Aceptan tarjetas de crédito?|¿Puedo pagar con PayPal?
invoice: Las facturas se envían por correo electrónico.|Encontrará sus facturas en Mi cuenta. > Necesito la factura del pedido {n}.|¿Dónde está mi factura?|¿Me pueden enviar un recibo?
cancel: Los pedidos se pueden cancelar en {d} horas.|Puede cancelar el pedido hasta el envío. > Quiero cancelar el pedido {n}.|¿Puedo cancelar todavía?|Cancelen mi pedido, por favor.|Ya no lo quiero, cancelen el pedido {n}.
password: Puede cambiar su contraseña en la página de acceso.|Pulse Olvidé mi contraseña para recibir una nueva. > Olvidé mi contraseña.|No puedo entrar en mi cuenta.|Mi contraseña no funciona.|Se me ha olvidado la contraseña.|No consigo entrar.
cost: El envío cuesta {m}.|El envío es gratis a partir de {m}. > ¿Cuánto cuesta el envío?|¿El envío es gratis?|¿Tengo que pagar la entrega?|¿Qué precio tiene el envío?
abroad: Enviamos a todos los países de Europa.|Entregamos en {x} y {y}. > ¿Envían al extranjero?|Vivo en {y}, ¿envían allí?
change: La dirección de entrega se puede cambiar en su cuenta.|Escriba a {mail} para cambiar la dirección. > Me he mudado, cambien la dirección del pedido {n}.|La dirección del pedido {n} no es correcta.|¿Puedo cambiar la dirección de entrega?
""",
    "de": """
delivery: Bestellungen kommen in {d} Werktagen an.|Die Lieferung dauert {d} Tage.|Wir liefern jede Bestellung in {d} Tagen.|Der Versand dauert {d} bis {e} Tage. > Wo ist meine Bestellung {n}?|Meine Bestellung {n} ist noch nicht da.|Wann kommt meine {i}?|Ich warte noch auf mein Paket.|Wie lange dauert die Lieferung?|Die Bestellung {n} ist zu spät.|Ich habe eine {i} gekauft und sie ist noch nicht angekommen.|Meine {i} ist immer noch nicht angekommen.|Wann kommt endlich mein Paket?|Seit zwei Wochen warte ich auf Bestellung {n}.
return: Sie können jeden Artikel innerhalb von {d} Tagen zurückgeben.|Rücksendungen sind {d} Tage lang kostenlos.|Artikel können innerhalb von {d} Tagen zurückgeschickt werden. > Ich möchte die {i} zurückgeben.|Wie schicke ich die Bestellung {n} zurück?|Die {i} passt nicht, kann ich sie zurückschicken?|Ich will die Bestellung {n} nicht mehr.|Die {i} ist zu klein.|Kann ich das zurückgeben?
refund: Erstattungen werden in {d} Tagen gezahlt.|Wir zahlen das Geld in {d} Tagen zurück.|Das Geld geht auf Ihre Karte zurück. > Ich möchte mein Geld zurück.|Wann bekomme ich die Erstattung für Bestellung {n}?|Ich habe noch keine Erstattung bekommen.|Wo bleibt mein Geld für Bestellung {n}?|Das Geld für Bestellung {n} ist noch nicht da.|Wann zahlen Sie mir das Geld zurück?
damage: Kaputte Artikel werden kostenlos ersetzt.|Wir ersetzen beschädigte Ware kostenlos.|Schicken Sie uns ein Foto vom Schaden und wir ersetzen den Artikel. > Meine {i} kam kaputt an.|Die {i} ist beschädigt.|Die {i} aus Bestellung {n} funktioniert nicht.|Meine {i} hat einen Kratzer.|Die {i} ist zerbrochen angekommen.|Meine {i} geht nicht.
hours: Wir haben von {t} bis {u} Uhr geöffnet.|Der Laden öffnet um {t} und schließt um {u} Uhr.|Unsere Öffnungszeiten sind {t} bis {u} Uhr. > Wann haben Sie geöffnet?|Was sind Ihre Öffnungszeiten?|Haben Sie am {day} offen?|Wann schließen Sie?|Bis wann haben Sie offen?|Um wie viel Uhr kann ich kommen?
phone: Sie erreichen uns unter {p}.|Unsere Telefonnummer ist {p}. > Kann ich Sie anrufen?|Wie ist Ihre Telefonnummer?|Ich möchte mit einem Menschen sprechen.
address: Unser Laden ist in der {x}straße {h}.|Sie finden uns am {x}platz {h}. > Wo ist Ihr Laden?|Wie ist Ihre Adresse?|Wo finde ich Sie?
warranty: Alle Produkte haben {d} Jahre Garantie.|Die Garantie gilt {d} Jahre. > Wie lange gilt die Garantie?|Gibt es auf die {i} Garantie?|Meine {i} ist kaputt, habe ich noch Garantie?
payment: Sie können mit Karte oder per Überweisung zahlen.|Wir nehmen PayPal, Karten und Bargeld. > Wie kann ich zahlen?|Nehmen Sie Kreditkarten?|Kann ich mit PayPal bezahlen?
invoice: Rechnungen werden per E-Mail verschickt.|Ihre Rechnungen finden Sie unter Mein Konto. > Ich brauche die Rechnung für Bestellung {n}.|Wo ist meine Rechnung?|Können Sie mir eine Quittung schicken?|Wie komme ich an meine Rechnung?|Für die Steuer brauche ich die Rechnung zu {n}.
cancel: Bestellungen können innerhalb von {d} Stunden storniert werden.|Sie können die Bestellung bis zum Versand stornieren. > Ich möchte die Bestellung {n} stornieren.|Kann ich noch stornieren?|Bitte stornieren Sie meine Bestellung.|Ich will es doch nicht, bitte {n} stornieren.
password: Sie können Ihr Passwort auf der Anmeldeseite ändern.|Klicken Sie auf Passwort vergessen, um ein neues zu bekommen. > Ich habe mein Passwort vergessen.|Ich kann mich nicht anmelden.|Mein Passwort funktioniert nicht.|Ich komme nicht mehr in mein Konto.
cost: Der Versand kostet {m}.|Ab {m} ist der Versand kostenlos. > Was kostet der Versand?|Ist der Versand kostenlos?|Muss ich für die Lieferung bezahlen?|Wie teuer ist der Versand?|Wie viel kostet die Lieferung?
abroad: Wir liefern in alle Länder Europas.|Wir liefern nach {x} und {y}. > Liefern Sie ins Ausland?|Ich wohne in {y}, liefern Sie dorthin?
change: Die Lieferadresse können Sie in Ihrem Konto ändern.|Schreiben Sie an {mail}, um die Adresse zu ändern. > Ich bin umgezogen, bitte ändern Sie die Adresse der Bestellung {n}.|Die Adresse der Bestellung {n} ist falsch.|Kann ich die Lieferadresse ändern?
""",
    "fr": """
delivery: Les commandes arrivent en {d} jours ouvrables.|La livraison prend {d} jours.|Nous livrons toutes les commandes en {d} jours.|L'envoi prend de {d} à {e} jours. > Où est ma commande {n} ?|Ma commande {n} n'est pas arrivée.|Quand arrive ma {i} ?|J'attends toujours mon colis.|Combien de temps prend la livraison ?|La commande {n} est en retard.|J'ai acheté une {i} et elle n'est pas encore arrivée.|J'attends ma {i} depuis deux semaines.|Quand mon colis va-t-il arriver ?
return: Vous pouvez retourner tout article sous {d} jours.|Les retours sont gratuits pendant {d} jours.|Les articles peuvent être renvoyés sous {d} jours. > Je veux retourner la {i}.|Comment renvoyer la commande {n} ?|La {i} ne me va pas, puis-je la rendre ?|Je ne veux plus de la commande {n}.|La {i} est trop petite.|Puis-je rendre mon achat ?
refund: Les remboursements sont payés sous {d} jours.|Nous remboursons sous {d} jours.|L'argent revient sur votre carte. > Je veux être remboursé.|Quand vais-je recevoir le remboursement de la commande {n} ?|Je n'ai pas encore reçu mon remboursement.|Où est mon argent pour la commande {n} ?|J'attends mon remboursement pour la commande {n}.|On ne m'a pas rendu l'argent.
damage: Les articles cassés sont remplacés gratuitement.|Nous remplaçons les produits abîmés sans frais.|Envoyez une photo du dommage et nous remplaçons l'article. > Ma {i} est arrivée cassée.|La {i} est abîmée.|La {i} de la commande {n} ne marche pas.|Ma {i} est rayée.|Ma {i} est en morceaux.
hours: Nous sommes ouverts de {t} h à {u} h.|Le magasin ouvre à {t} h et ferme à {u} h.|Nos horaires sont de {t} h à {u} h. > Quand êtes-vous ouverts ?|Quels sont vos horaires ?|Êtes-vous ouverts le {day} ?|À quelle heure fermez-vous ?|Jusqu'à quelle heure êtes-vous ouverts ?
phone: Vous pouvez nous appeler au {p}.|Notre numéro est le {p}. > Puis-je vous appeler ?|Quel est votre numéro de téléphone ?|Je veux parler à une personne.
address: Notre magasin est au {h}, rue {x}.|Vous nous trouvez place {x}. > Où est votre magasin ?|Quelle est votre adresse ?|Où puis-je vous trouver ?|À quelle adresse êtes-vous ?|Où se trouve votre magasin ?
warranty: Tous les produits ont une garantie de {d} ans.|La garantie dure {d} ans. > Combien de temps dure la garantie ?|La {i} est-elle garantie ?|Ma {i} est cassée, est-elle encore sous garantie ?
payment: Vous pouvez payer par carte ou par virement.|Nous acceptons PayPal, les cartes et les espèces. > Comment puis-je payer ?|Acceptez-vous les cartes de crédit ?|Puis-je payer avec PayPal ?
invoice: Les factures sont envoyées par e-mail.|Vous trouverez vos factures dans Mon compte. > J'ai besoin de la facture de la commande {n}.|Où est ma facture ?|Pouvez-vous m'envoyer un reçu ?
cancel: Les commandes peuvent être annulées sous {d} heures.|Vous pouvez annuler la commande jusqu'à l'envoi. > Je veux annuler la commande {n}.|Puis-je encore annuler ?|Annulez ma commande, s'il vous plaît.|Je voudrais annuler mon achat.
password: Vous pouvez changer votre mot de passe sur la page de connexion.|Cliquez sur Mot de passe oublié pour en recevoir un nouveau. > J'ai oublié mon mot de passe.|Je ne peux pas me connecter.|Mon mot de passe ne marche pas.
cost: L'envoi coûte {m}.|La livraison est gratuite à partir de {m}. > Combien coûte la livraison ?|La livraison est-elle gratuite ?|Dois-je payer l'envoi ?|Quel est le prix de la livraison ?
abroad: Nous livrons dans tous les pays d'Europe.|Nous livrons en {x} et en {y}. > Livrez-vous à l'étranger ?|J'habite en {y}, livrez-vous là-bas ?
change: L'adresse de livraison peut être changée dans votre compte.|Écrivez à {mail} pour changer l'adresse. > J'ai déménagé, changez l'adresse de la commande {n}.|L'adresse de la commande {n} est fausse.|Puis-je changer l'adresse de livraison ?
""",
    "it": """
delivery: Gli ordini arrivano in {d} giorni lavorativi.|La consegna richiede {d} giorni.|Consegniamo tutti gli ordini in {d} giorni.|La spedizione richiede da {d} a {e} giorni. > Dov'è il mio ordine {n}?|Il mio ordine {n} non è arrivato.|Quando arriva la mia {i}?|Aspetto ancora il mio pacco.|Quanto dura la consegna?|L'ordine {n} è in ritardo.|Ho comprato una {i} e non è ancora arrivata.|Il mio ordine {n} doveva arrivare {day}.|Quando arriva il mio pacco?
return: Può restituire ogni articolo entro {d} giorni.|I resi sono gratuiti per {d} giorni.|Gli articoli si possono rendere entro {d} giorni. > Voglio restituire la {i}.|Come rimando indietro l'ordine {n}?|La {i} non va bene, posso restituirla?|Non voglio più l'ordine {n}.|La {i} è troppo piccola.|Posso rendere il mio acquisto?
refund: I rimborsi vengono pagati entro {d} giorni.|Rimborsiamo il denaro entro {d} giorni.|Il denaro torna sulla sua carta. > Voglio il rimborso.|Quando ricevo il rimborso dell'ordine {n}?|Non ho ancora ricevuto il rimborso.|Dov'è il mio denaro per l'ordine {n}?|Non mi avete ancora ridato il denaro per l'ordine {n}.
damage: Gli articoli rotti vengono sostituiti gratis.|Sostituiamo i prodotti danneggiati senza costi.|Ci mandi una foto del danno e sostituiamo l'articolo. > La mia {i} è arrivata rotta.|La {i} è danneggiata.|La {i} dell'ordine {n} non funziona.|La mia {i} ha un graffio.|La mia {i} è in pezzi.
hours: Siamo aperti dalle {t} alle {u}.|Il negozio apre alle {t} e chiude alle {u}.|Il nostro orario è dalle {t} alle {u}. > Quando siete aperti?|Quali sono i vostri orari?|Siete aperti il {day}?|A che ora chiudete?|Fino a che ora siete aperti?|A che ora aprite {day}?
phone: Può chiamarci al {p}.|Il nostro numero è {p}. > Posso chiamarvi?|Qual è il vostro numero di telefono?|Voglio parlare con una persona.
address: Il nostro negozio è in via {x} {h}.|Ci trova in piazza {x}. > Dov'è il vostro negozio?|Qual è il vostro indirizzo?|Dove vi trovo?
warranty: Tutti i prodotti hanno una garanzia di {d} anni.|La garanzia dura {d} anni. > Quanto dura la garanzia?|La {i} ha la garanzia?|La mia {i} si è rotta, è ancora in garanzia?|C'è una garanzia sulla {i}?|La {i} ha una garanzia?
payment: Può pagare con carta o con bonifico.|Accettiamo PayPal, carte e contanti. > Come posso pagare?|Accettate carte di credito?|Posso pagare con PayPal?
invoice: Le fatture vengono inviate per e-mail.|Trova le sue fatture in Il mio conto. > Mi serve la fattura dell'ordine {n}.|Dov'è la mia fattura?|Potete mandarmi una ricevuta?
cancel: Gli ordini si possono annullare entro {d} ore.|Può annullare l'ordine fino alla spedizione. > Voglio annullare l'ordine {n}.|Posso ancora annullare?|Annullate il mio ordine, per favore.|Vorrei annullare il mio acquisto.
password: Può cambiare la password nella pagina di accesso.|Clicchi su Password dimenticata per riceverne una nuova. > Ho dimenticato la password.|Non riesco ad accedere.|La mia password non funziona.
cost: La spedizione costa {m}.|La consegna è gratuita da {m}. > Quanto costa la spedizione?|La spedizione è gratuita?|Devo pagare la consegna?|Qual è il prezzo della spedizione?
abroad: Spediamo in tutti i paesi d'Europa.|Consegniamo in {x} e in {y}. > Spedite all'estero?|Abito in {y}, spedite lì?
change: L'indirizzo di consegna si può cambiare nel suo conto.|Scriva a {mail} per cambiare l'indirizzo. > Ho traslocato, cambiate l'indirizzo dell'ordine {n}.|L'indirizzo dell'ordine {n} è sbagliato.|Posso cambiare l'indirizzo di consegna?
""",
}
ITEMS = {
    "en": "lamp|phone|jacket|chair|book|kettle|camera|vase|table|mouse|bag|toy|watch|desk|printer|tent|mirror|drill|pan|blanket".split("|"),
    "es": "lámpara|cámara|chaqueta|silla|mesa|bolsa|impresora|mochila|cafetera|manta|bicicleta|taza".split("|"),
    "de": "Lampe|Kamera|Jacke|Tasche|Uhr|Vase|Maus|Kanne|Bohrmaschine|Decke|Pfanne|Matratze".split("|"),
    "fr": "lampe|caméra|veste|chaise|table|montre|imprimante|valise|cafetière|couverture|bouilloire|poupée".split("|"),
    "it": "lampada|giacca|sedia|borsa|stampante|valigia|coperta|bicicletta|tazza|scrivania|pentola|tenda".split("|"),
}
WEEKDAYS = {
    "en": "Monday|Saturday|Sunday|Friday|Tuesday".split("|"),
    "es": "lunes|sábado|domingo|viernes".split("|"),
    "de": "Montag|Samstag|Sonntag|Freitag".split("|"),
    "fr": "lundi|samedi|dimanche|vendredi".split("|"),
    "it": "lunedì|sabato|domenica|venerdì".split("|"),
}
GREETINGS = {
    "en": ["", "", "", "Hi, ", "Hello. ", "Good morning. ", "Dear team, ", "Hi there! "],
    "es": ["", "", "", "Hola, ", "Buenos días. ", "Hola. "],
    "de": ["", "", "", "Hallo, ", "Guten Tag. ", "Hallo! "],
    "fr": ["", "", "", "Bonjour, ", "Bonjour. ", "Salut, "],
    "it": ["", "", "", "Buongiorno, ", "Salve. ", "Ciao, "],
}
TAILS = {
    "en": ["", "", " Thanks.", " Please help.", " Thank you, {first}", " I am really annoyed.", " Regards, {first}"],
    "es": ["", "", " Gracias.", " Ayúdenme, por favor.", " Saludos, {first}"],
    "de": ["", "", " Danke.", " Bitte helfen Sie mir.", " Viele Grüße, {first}"],
    "fr": ["", "", " Merci.", " Aidez-moi, s'il vous plaît.", " Cordialement, {first}"],
    "it": ["", "", " Grazie.", " Aiutatemi, per favore.", " Saluti, {first}"],
}
ORDER_TAILS = {
    "en": [" Order {n}.", " My order number is {n}.", " It is about order {n}.", " (order {n})"],
    "es": [" Pedido {n}.", " Mi número de pedido es {n}.", " Es el pedido {n}."],
    "de": [" Bestellung {n}.", " Meine Bestellnummer ist {n}.", " Es geht um Bestellung {n}."],
    "fr": [" Commande {n}.", " Mon numéro de commande est {n}.", " C'est la commande {n}."],
    "it": [" Ordine {n}.", " Il mio numero d'ordine è {n}.", " Si tratta dell'ordine {n}."],
}
OPENERS = {
    "en": ["Thank you for your message.", "Hello, thank you for writing to us.", "Thanks for getting in touch."],
    "es": ["Gracias por su mensaje.", "Hola, gracias por escribirnos.", "Gracias por contactar con nosotros."],
    "de": ["Vielen Dank für Ihre Nachricht.", "Hallo, danke für Ihre Nachricht.", "Danke, dass Sie uns schreiben."],
    "fr": ["Merci pour votre message.", "Bonjour, merci de nous avoir écrit.", "Merci de nous contacter."],
    "it": ["Grazie per il suo messaggio.", "Salve, grazie per averci scritto.", "Grazie per averci contattato."],
}
SORRY = {
    "en": "I am sorry about the trouble.",
    "es": "Lamento las molestias.",
    "de": "Es tut mir leid, dass es Probleme gibt.",
    "fr": "Je suis désolé pour ce problème.",
    "it": "Mi dispiace per il problema.",
}
ABOUT_ORDER = {
    "en": ["I have looked at order {n}.", "I have checked your order {n}."],
    "es": ["He revisado el pedido {n}.", "He mirado su pedido {n}."],
    "de": ["Ich habe die Bestellung {n} geprüft.", "Ich habe mir Ihre Bestellung {n} angesehen."],
    "fr": ["J'ai regardé la commande {n}.", "J'ai vérifié votre commande {n}."],
    "it": ["Ho controllato l'ordine {n}.", "Ho verificato il suo ordine {n}."],
}
CLOSERS = {
    "en": ["Please let us know if you need anything else.", "We are happy to help.", ""],
    "es": ["Estamos aquí para ayudarle.", "Escríbanos si necesita algo más.", ""],
    "de": ["Wir helfen Ihnen gerne.", "Melden Sie sich, wenn Sie noch Fragen haben.", ""],
    "fr": ["Nous sommes là pour vous aider.", "Écrivez-nous si vous avez d'autres questions.", ""],
    "it": ["Siamo qui per aiutarla.", "Ci scriva se ha altre domande.", ""],
}
TROUBLE = {"delivery", "damage", "refund", "password", "change"}


def parse_topics(table):
    topics = {}
    for line in table.strip().splitlines():
        name, rest = line.split(": ", 1)
        facts, messages = rest.split(" > ")
        topics[name] = (facts.split("|"), messages.split("|"))
    return topics


PARSED = {language: parse_topics(table) for language, table in TOPICS.items()}
LANGUAGES = list(PARSED)
LANGUAGE_SHARES = (4, 1.5, 1.5, 1.2, 1.2)


class Case:
    """One customer: a message on a topic, with or without an order number."""

    def __init__(self, words, language=None, topic=None):
        self.words = words
        self.language = language or words.random.choices(LANGUAGES, LANGUAGE_SHARES)[0]
        self.topics = PARSED[self.language]
        self.topic = topic or words.choice(list(self.topics))
        self.values = self.draw_values(self.language)
        self.order = None
        self.message = self.write(words.choice(self.topics[self.topic][1]))

    def draw_values(self, language):
        words, number = self.words, self.words.random.randint
        return dict(
            n=words.order(), d=number(2, 40), e=number(41, 60), t=number(6, 11), u=number(15, 23), h=number(1, 200),
            p=f"0{number(10, 999)} {number(1000, 999999)}", x=words.pseudo(), y=words.pseudo(),
            m=f"{number(2, 90)} {words.choice(['euros', 'dollars', '€'] if language == 'en' else ['euros', '€'] if language in 'es fr' else ['Euro', '€'] if language == 'de' else ['euro', '€'])}",
            i=words.choice(ITEMS[language]), day=words.choice(WEEKDAYS[language]),
            mail=f"{words.choice(['help', 'info', 'service', 'kontakt'])}@{words.pseudo().lower()}.{words.choice(['com', 'org', 'de', 'es', 'eu'])}",
        )

    def write(self, template):
        words, language = self.words, self.language
        if "{n}" not in template and words.chance(0.35):
            template += words.choice(ORDER_TAILS[language])
        if "{n}" in template:
            self.order = self.values["n"]
        message = template.format(**self.values)
        greeting = words.choice(GREETINGS[language])
        if greeting.endswith(", ") and not message.startswith(("I ", "I'")) and language != "de":
            message = message[0].lower() + message[1:]
        tail = words.choice(TAILS[language]).format(first=words.first())
        message = greeting + message + tail
        if words.chance(0.06):
            message = message.lower()
        if self.order and self.order.lower() in message:
            self.order = self.order.lower()
        return message

    def facts(self, language, count):
        """The right fact and the list it hides in."""
        values = dict(self.values, **{key: value for key, value in self.draw_values(language).items() if key not in "ny"})
        topics = PARSED[language]
        right = self.words.choice(topics[self.topic][0]).format(**values)
        others = [topic for topic in topics if topic != self.topic and {topic, self.topic} != {"return", "refund"}]
        listed = [right]
        for topic in self.words.random.sample(others, count - 1):
            listed.append(self.words.choice(topics[topic][0]).format(**self.draw_values(language)))
        self.words.random.shuffle(listed)
        return right, listed

    def reply(self, fact):
        words, language = self.words, self.language
        parts = [words.choice(OPENERS[language])]
        if self.topic in TROUBLE:
            parts.append(SORRY[language])
        if self.order:
            parts.append(words.choice(ABOUT_ORDER[language]).format(n=self.order))
        parts += [fact, words.choice(CLOSERS[language])]
        return " ".join(part for part in parts if part)


REPLY_FORMS = ["Reply to the customer.\nFacts: {f}\nMessage: {m}"] * 5 + [
    "Write a reply to the customer.\nFacts: {f}\nMessage: {m}",
    "Facts: {f}\nCustomer: {m}\nReply:",
    "Answer this customer politely.\nFacts: {f}\nMessage: {m}",
    "Message: {m}\nFacts: {f}\nReply to the customer.",
]
FACT_FORMS = [
    "Reply to the customer and name the fact.\nFacts: {f}\nMessage: {m}",
    "Reply to the customer. Give the reply and the fact.\nFacts: {f}\nMessage: {m}",
    "Reply to the customer. Format: Reply, Fact.\nFacts: {f}\nMessage: {m}",
]
WHICH_FORMS = ["Which fact answers the customer?\nFacts: {f}\nMessage: {m}", "Quote the fact for this customer.\nFacts: {f}\nMessage: {m}"]


def listing(words, facts):
    if words.chance(0.8):
        return " ".join(facts)
    return "\n" + "\n".join(f"- {fact}" for fact in facts)


def support_reply(words):
    case = Case(words)
    language = "en" if words.chance(0.2) else case.language
    fact, facts = case.facts(language, words.random.randint(2, 6))
    return answer_customer(words, case, fact, facts)


def company_question(words):
    """The facts are a lesson about anything; the customer asks one of its questions (English)."""
    lesson = make_lesson(words, 0)
    asks = [ask for ask in lesson.asks if ask[3] in lesson.sentences]
    if not asks:
        return company_question(words)
    _, question, _, fact = asks[0]
    case = Case(words, "en", "hours")
    case.order = None
    case.message = case.write(question.replace("{", "").replace("}", ""))
    return answer_customer(words, case, fact, lesson.sentences)


def answer_customer(words, case, fact, facts):
    share = words.random.random()
    known = dict(f=listing(words, facts), m=case.message)
    if share < 0.62:
        return [(words.choice(REPLY_FORMS).format(**known), case.reply(fact))]
    if share < 0.82:
        reply = case.reply("").strip().replace("  ", " ")
        return [(words.choice(FACT_FORMS).format(**known), f"Reply: {reply}\nFact: {fact}")]
    return [(words.choice(WHICH_FORMS).format(**known), fact)]


def free_support(words):
    """No facts given: the reply promises nothing but a look at it."""
    case = Case(words)
    parts = [words.choice(OPENERS[case.language])]
    if case.order:
        parts.append(words.choice(ABOUT_ORDER[case.language]).format(n=case.order))
    parts.append({"en": "A colleague will get back to you soon.", "es": "Un compañero le responderá pronto.", "de": "Ein Kollege meldet sich bald bei Ihnen.",
                  "fr": "Un collègue vous répondra bientôt.", "it": "Un collega le risponderà presto."}[case.language])
    form = words.choice(["Reply to the customer: {m}", "Reply to the customer.\nMessage: {m}", "Customer: {m}"])
    return [(form.format(m=case.message), " ".join(parts))]
