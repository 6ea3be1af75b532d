"""Relations for lessons and texts.

One row is `statements > focus phrases > questions > answer`, alternatives separated by `|`; further questions to the
same statement follow after `&&`. `{S}` opens a sentence with the subject (its name, "It", "The village"), `{P}` is its
possessive, `{s}` is the name inside a sentence. `{of}` is " of NAME" or nothing where the lesson leaves no doubt.
"""

TOWN = """
{S} lies on the {pseudo} river.|{S} stands on the banks of the {pseudo}. > where {s} lies|the river{of} > Which river does {s} lie on?|On which river is {s}? > {pseudo}
{S} was founded in {year}.|{S} was founded by {person} in {year}.|People first settled in {s} in {year}. > when {s} was founded|the founding{of}|the age{of}|the year {s} was founded > When was {s} founded?|In which year was {s} founded? > {year}
{S} was founded by {person}.|{S} was founded in {year} by {person}.|{person} founded {s}.|The founder of {s} was {person}. > the founder{of}|who founded {s} > Who founded {s}?|Who was the founder of {s}? > {person}
{S} has {number} inhabitants.|About {number} people live in {s}.|{P} population is {number}. > the population{of}|how many people live in {s}|the number of inhabitants > How many people live in {s}?|What is the population of {s}?|How many inhabitants does {s} have? > {number}
The mayor of {s} is {person}.|{P} mayor is called {person}.|{person} is the mayor of {s}. > the mayor{of}|who runs {s} > Who is the mayor of {s}? > {person}
{S} is famous for its {things}.|{S} is known for its {things}.|Visitors come to {s} for the {things}. > what {s} is famous for|the fame{of} > What is {s} famous for?|What is {s} known for? > {things}
{S} is the capital of {place}.|The capital of {place} is {s}. > the capital of {place}|what {s} is the capital of > What is the capital of {place}? > {s} && what {s} is the capital of|the region{of} > What is {s} the capital of? > {place}
The old bridge in {s} was built by {person}.|{person} built the old bridge of {s}. > the builder of the bridge|who built the bridge|the bridge > Who built the bridge in {s}? > {person}
The market in {s} takes place every {day}.|Every {day} there is a market in {s}.|On {day} farmers sell {food} at the market in {s}. > the market day{of}|when the market is held|the market > When is the market in {s}?|On which day is the market in {s} held? > {day}
The river that flows through {s} is called the {pseudo2}.|The {pseudo2} flows through {s}. > the river{of}|the river through {s} > What is the river that flows through {s} called?|Which river flows through {s}? > {pseudo2}
{S} is {length} above sea level.|{S} lies {length} above the sea. > the height{of}|how high {s} lies > How high is {s} above sea level? > {length}
The highest mountain near {s} is {name2}.|{name2} is the highest mountain near {s}. > the highest mountain|the mountain near {s} > What is the highest mountain near {s}? > {name2}
{S} was destroyed by {cause} in {year2}.|In {year2} {s} was destroyed by {cause}.|{cause} destroyed much of {s} in {year2}. > what destroyed {s}|the destruction{of} > What destroyed {s}? > {cause} && when {s} was destroyed > When was {s} destroyed? > {year2}
{P} coat of arms shows a {animal}.|A {animal} is shown on the coat of arms of {s}. > the coat of arms{of}|the animal on the coat of arms > Which animal is on the coat of arms of {s}?|What does the coat of arms of {s} show? > {animal}
The people of {s} speak {language}.|{language} is spoken in {s}.|The language of {s} is {language}. > the language{of}|what people speak in {s} > Which language is spoken in {s}?|What language do people speak in {s}? > {language}
{S} is twinned with {place2}.|{P} twin town is {place2}. > the twin town{of}|the partner{of} > Which town is {s} twinned with?|What is the twin town of {s}? > {place2}
The train from {s} to {place3} takes {duration}. > the train journey|how long the train takes > How long does the train from {s} to {place3} take? > {duration}
The main church in {s} is {length2} tall. > the height of the church|the church > How tall is the church in {s}? > {length2}
"""

COMPANY = """
{S} was founded in {year} by {person}.|{person} started {s} in {year}.|{person} founded {s} in {year}.|{S} was started by {person} in {year}. > the founder{of}|who started {s}|who founded {s} > Who founded {s}?|Who started {s}? > {person} && when {s} was founded|the founding year{of}|the year {s} began > When was {s} founded?|In which year did {s} start? > {year}
{S} makes {things}.|{S} produces {things}.|{S} sells {things}. > the products{of}|what {s} makes|what {s} sells > What does {s} make?|What does {s} produce? > {things}
{P} head office is in {place}.|{S} is based in {place}.|{S} has its headquarters in {place}. > the headquarters{of}|where {s} is based|the head office{of} > Where is {s} based?|Where is the head office of {s}?|Where does {s} have its headquarters? > {place}
{S} employs {number} people.|{number} people work for {s}.|{S} has {number} employees. > the number of employees{of}|how many people work for {s}|the staff{of} > How many people work for {s}?|How many employees does {s} have? > {number}
The director of {s} is {person2}.|{P} director is {person2}.|{person2} runs {s}.|{S} is led by {person2}. > the director{of}|who runs {s}|the head{of}|the boss{of} > Who runs {s}?|Who is the director of {s}? > {person2}
{S} was sold to {name2} for {money}.|{name2} bought {s} for {money}. > the buyer{of}|who bought {s} > Who bought {s}? > {name2} && the price{of}|how much {s} was sold for > How much was {s} sold for?|How much did {name2} pay for {s}? > {money}
{P} first product was {athing}.|The first thing {s} sold was {athing}. > the first product{of}|what {s} sold first > What was the first product of {s}? > {athing}
{P} logo shows a {animal}.|A {animal} is the logo of {s}. > the logo{of} > What does the logo of {s} show?|Which animal is on the logo of {s}? > {animal}
{S} closed in {year2} because of {cause}.|Because of {cause}, {s} closed in {year2}. > why {s} closed|the end{of} > Why did {s} close? > {cause} && when {s} closed > When did {s} close? > {year2}
{S} opens at {time}.|{P} doors open at {time}.|Customers can visit {s} from {time}. > when {s} opens|the opening time{of} > When does {s} open?|At what time does {s} open? > {time}
{S} closes at {time2}.|{P} doors close at {time2}. > when {s} closes|the closing time{of} > When does {s} close?|At what time does {s} close? > {time2}
{S} was named after {person3}.|The name of {s} comes from {person3}. > the name{of}|who {s} was named after > Who was {s} named after?|After whom was {s} named? > {person3}
{S} pays its workers {money2} a day.|Workers at {s} earn {money2} a day. > the pay at {s}|what workers earn|the wages{of} > How much do workers at {s} earn a day? > {money2}
{P} slogan is "{title}". > the slogan{of}|the motto{of} > What is the slogan of {s}? > {title}
{P} biggest customer is {name3}.|{name3} is the biggest customer of {s}. > the biggest customer{of} > Who is the biggest customer of {s}? > {name3}
"""

PERSON = """
{S} was born in {place} in {year}.|{S} was born in {year} in {place}. > where {s} was born|the birthplace{of} > Where was {s} born? > {place} && when {s} was born|the birth year{of} > When was {s} born?|In which year was {s} born? > {year}
{S} comes from {place}.|{P} home is {place}.|{S} grew up in {place}. > the home{of}|where {s} comes from > Where does {s} come from?|Where did {s} grow up? > {place}
{S} works as a {job}.|{S} is a {job}.|{S} earned a living as a {job}. > the job{of}|what {s} does for a living|the work{of} > What is the job of {s}?|What does {s} do for a living?|What does {s} work as? > {job}
{S} married {person2} in {year2}.|In {year2} {s} married {person2}. > who {s} married|the wedding{of} > Who did {s} marry?|Whom did {s} marry? > {person2} && when {s} married|the year of the wedding > When did {s} marry?|In which year did {s} marry {person2}? > {year2}
{S} wrote {title}.|{title} was written by {s}.|{S} is the author of {title}. > the author of {title}|who wrote {title} > Who wrote {title}? > {s} && what {s} wrote|the book{of}|the best known book{of} > What did {s} write?|Which book did {s} write? > {title}
{S} invented the {thing}.|The {thing} was invented by {s}.|The inventor of the {thing} was {s}. > the inventor of the {thing}|who invented the {thing} > Who invented the {thing}? > {s} && the invention{of}|what {s} invented > What did {s} invent? > {thing}
{S} discovered {name2}.|{name2} was discovered by {s}.|{S} was the first to find {name2}. > the discovery of {name2}|who discovered {name2} > Who discovered {name2}? > {s} && what {s} discovered|the discovery{of} > What did {s} discover? > {name2}
{S} painted {title2}.|{title2} was painted by {s}. > the painter of {title2}|who painted {title2} > Who painted {title2}? > {s} && the painting{of}|what {s} painted > What did {s} paint? > {title2}
{S} lives with {athing2} and {small} {animals}.|{S} keeps {small} {animals}. > the pets{of}|the animals{of}|what animals {s} keeps > Which animals does {s} keep?|What animals does {s} live with? > {animals} && how many {animals} {s} has|the number of {animals} > How many {animals} does {s} keep?|How many {animals} live with {s}? > {small}
{P} favourite food is {food}.|{S} loves {food} more than any other food.|{S} likes to eat {food}. > the favourite food{of}|what {s} likes to eat > What is the favourite food of {s}?|What does {s} like to eat? > {food}
{P} favourite colour is {colour}.|{S} likes the colour {colour} best. > the favourite colour{of} > What is the favourite colour of {s}?|Which colour does {s} like best? > {colour}
{S} studied in {place3}.|{S} went to university in {place3}.|{S} learned the trade in {place3}. > where {s} studied|the studies{of}|the education{of} > Where did {s} study?|Where did {s} go to university? > {place3}
{S} speaks {language}.|{P} mother tongue is {language}. > the language{of}|what {s} speaks|the mother tongue{of} > Which language does {s} speak? > {language}
{S} plays the {pseudo}.|{S} can play the {pseudo}. > the instrument{of}|what {s} plays > What does {s} play?|Which instrument does {s} play? > {pseudo}
{S} died in {year3}.|{S} died in {place4} in {year3}. > when {s} died|the death{of} > When did {s} die?|In which year did {s} die? > {year3}
{P} teacher was {person3}.|{S} was taught by {person3}.|{S} learned everything from {person3}. > the teacher{of}|who taught {s} > Who taught {s}?|Who was the teacher of {s}? > {person3}
{S} is {small2} years old.|{P} age is {small2}. > the age{of}|how old {s} is > How old is {s}? > {small2}
{S} moved to {place5} because of {cause}.|Because of {cause}, {s} moved to {place5}. > why {s} moved|the reason for the move > Why did {s} move to {place5}? > {cause} && where {s} moved|the new home{of} > Where did {s} move? > {place5}
{S} won {athing} in {year4}.|In {year4} {s} won {athing}. > the prize{of}|what {s} won > What did {s} win?|What did {s} win in {year4}? > {athing}
{P} {choicekin} is called {person4}.|{person4} is {sp} {choicekin}. > the {choicekin}{of}|who the {choicekin}{of} is > Who is the {choicekin} of {s}?|What is the {choicekin} of {s} called? > {person4}
{S} keeps {sp2} {thing3} in the {spot}. > where the {thing3} is|the place of the {thing3}|the {thing3} > Where does {s} keep the {thing3}? > {spot}
"""

ANIMAL = """
{S} eats {food}.|{S} feeds on {food}.|{P} main food is {food}.|{S} lives mainly on {food}. > the food{of}|what {s} eats|the diet{of} > What does {s} eat?|What does {s} feed on? > {food}
{S} lives in the {name2}.|{S} is found in the {name2}.|{P} home is the {name2}. > where {s} lives|the home{of}|the habitat{of} > Where does {s} live?|Where is {s} found? > {name2}
{S} weighs up to {weight}.|{S} can weigh {weight}.|{P} weight is about {weight}. > the weight{of}|how heavy {s} is|how much {s} weighs > How much can {s} weigh?|How heavy is {s}?|How much does {s} weigh? > {weight}
{S} lives for about {duration}.|{S} can live for {duration}.|{P} life span is {duration}. > the life span{of}|how long {s} lives > How long does {s} live?|How long can {s} live? > {duration}
{S} sleeps {small} hours a day.|{S} rests for {small} hours each day. > the sleep{of}|how long {s} sleeps > How many hours a day does {s} sleep? > {small}
{P} greatest enemy is the {animal2}.|{S} is hunted by the {animal2}.|{S} fears the {animal2} most. > the enemy{of}|what hunts {s}|the predator{of} > What is the greatest enemy of {s}?|Which animal hunts {s}? > {animal2}
{S} lays {small2} eggs.|{S} lays {small2} eggs in {month}. > the eggs{of}|how many eggs {s} lays|the number of eggs > How many eggs does {s} lay? > {small2}
{S} is {colour} with {colour2} spots.|{P} coat is {colour}.|{P} fur is {colour}.|{S} has {colour} fur. > the colour{of}|what colour {s} is > What colour is {s}?|Which colour is the coat of {s}? > {colour}
{S} builds its nest from {material}.|{P} nest is made of {material}. > the nest{of}|what the nest is made of > What is the nest of {s} made of?|What does {s} build its nest from? > {material}
{S} was first described by {person}.|{person} first described {s}. > who described {s}|the first description{of} > Who first described {s}? > {person}
{S} can run at {number} kilometres an hour.|{P} top speed is {number} kilometres an hour. > the speed{of}|how fast {s} is > How fast can {s} run?|What is the top speed of {s}? > {number} kilometres an hour
{S} is {length} long.|{S} grows to a length of {length}.|{S} can reach a length of {length}. > the length{of}|the size{of}|how long {s} gets > How long is {s}?|How long does {s} grow? > {length}
{S} uses its tail to {choiceact}.|With its tail {s} can {choiceact}. > the tail{of}|what {s} uses its tail for > What does {s} use its tail for?|What can {s} do with its tail? > {choiceact}
{P} young are born in {month2}.|In {month2} the young of {s} are born. > when the young are born|the young{of} > When are the young of {s} born?|In which month are the young of {s} born? > {month2}
{S} is active at night because of {cause}. > why {s} is active at night > Why is {s} active at night? > {cause}
"""

BUILDING = """
{S} was built by {person} in {year}.|{person} built {s} in {year}.|{S} was designed by {person} and opened in {year}. > the builder{of}|the architect{of}|who built {s} > Who built {s}?|Who designed {s}? > {person} && when {s} was built|the year {s} was built|the opening{of}|when {s} opened > When was {s} built?|When did {s} open? > {year}
{S} opened in {year}.|{S} opened its doors in {year}.|In {year} {s} opened to the public. > when {s} opened|the opening{of} > When did {s} open?|In which year did {s} open? > {year}
{S} stands in {place}.|{S} is in {place}.|You can find {s} in {place}.|{S} is located in {place}. > where {s} stands|the location{of}|where {s} is > Where is {s}?|Where does {s} stand?|Where is {s} located? > {place}
{S} is {length} tall.|{P} height is {length}.|{S} rises to a height of {length}. > the height{of}|how tall {s} is|how high {s} is > How tall is {s}?|How high is {s}?|What is the height of {s}? > {length}
{S} is {length2} long.|{P} length is {length2}. > the length{of}|how long {s} is > How long is {s}?|What is the length of {s}? > {length2}
{S} has {small} floors.|There are {small} floors in {s}. > the floors{of}|how many floors {s} has|the number of floors > How many floors does {s} have? > {small}
{S} has {small3} rooms.|There are {small3} rooms in {s}. > the rooms{of}|how many rooms there are|the number of rooms > How many rooms does {s} have?|How many rooms are there in {s}? > {small3}
{S} is made of {material}.|{S} was built of {material}.|{P} walls are made of {material}. > the material{of}|what {s} is made of|the walls{of} > What is {s} made of?|What are the walls of {s} made of? > {material}
{S} cost {money} to build.|Building {s} cost {money}. > the cost{of}|how much {s} cost|the price{of} > How much did {s} cost?|How much did it cost to build {s}? > {money}
A ticket for {s} costs {money2}.|Entry to {s} costs {money2}.|Visitors pay {money2} to enter {s}. > the ticket price{of}|the entry fee{of}|the price of a ticket > How much does a ticket for {s} cost?|How much do visitors pay to enter {s}? > {money2}
{S} is closed on {day}.|{S} is open every day except {day}.|On {day} {s} is closed. > when {s} is closed|the closing day{of}|the closed day > On which day is {s} closed?|When is {s} closed? > {day}
{S} burned down in {year2}.|A fire destroyed {s} in {year2}. > the fire{of}|when {s} burned down|the fire > When did {s} burn down?|In which year did a fire destroy {s}? > {year2}
{S} holds {number} {choicestock}.|There are {number} {choicestock} in {s}.|{P} collection has {number} {choicestock}. > the collection{of}|the number of {choicestock}|how many {choicestock} there are > How many {choicestock} are there in {s}?|How many {choicestock} does {s} hold? > {number}
The most famous object in {s} is {athing}.|{P} greatest treasure is {athing}. > the most famous object|the treasure{of} > What is the most famous object in {s}?|What is the greatest treasure of {s}? > {athing}
{P} keeper is {person3}.|{person3} looks after {s}.|{S} is looked after by {person3}. > the keeper{of}|who looks after {s} > Who looks after {s}?|Who is the keeper of {s}? > {person3}
{S} was first used for {purpose}.|{S} was used for {purpose}. > the first use{of}|what {s} was used for|the purpose{of} > What was {s} used for? > {purpose}
The key to {s} is kept in the {spot}.|They keep the key to {s} in the {spot}. > where the key is kept|the key > Where is the key to {s} kept? > {spot}
{S} crosses the {pseudo2}.|{S} leads across the {pseudo2} river. > the river under {s}|what {s} crosses > What does {s} cross?|Which river does {s} cross? > {pseudo2}
"""

EVENT = """
{S} takes place in {month}.|Every {month} people celebrate {s}.|{S} is held in {month}. > when {s} takes place|the month{of}|the date{of} > When does {s} take place?|In which month is {s} held? > {month}
{S} begins at {time}.|{S} starts at {time}.|The start of {s} is at {time}. > the start{of}|when {s} begins|the time{of} > When does {s} begin?|At what time does {s} start? > {time}
{S} takes place in {place}.|{S} is held in {place}.|{place} is the home of {s}. > where {s} takes place|the place{of}|the venue{of} > Where does {s} take place?|Where is {s} held? > {place}
{S} was won by {person}.|The winner of {s} was {person}.|{person} won {s}. > the winner{of}|who won {s} > Who won {s}?|Who was the winner of {s}? > {person}
The winner of {s} receives {athing}.|The prize of {s} is {athing}. > the prize{of}|what the winner receives > What does the winner of {s} receive?|What is the prize of {s}? > {athing}
{number} people visited {s}.|{S} was visited by {number} people.|{S} had {number} visitors. > the number of visitors{of}|how many people came|the visitors{of} > How many people visited {s}?|How many visitors did {s} have? > {number}
{S} was first held in {year}.|The first {s} was held in {year}.|People have celebrated {s} since {year}. > the first {s}|when {s} was first held|the beginning{of} > When was {s} first held?|Since when have people celebrated {s}? > {year}
Visitors of {s} eat {food}.|At {s} people eat {food}.|The traditional dish of {s} is {food}. > the food{of}|what people eat at {s}|the dish{of} > What do people eat at {s}?|What is eaten at {s}? > {food}
{S} lasts {duration}.|{S} goes on for {duration}. > the length{of}|how long {s} lasts > How long does {s} last? > {duration}
{S} was cancelled because of {cause}.|Because of {cause}, {s} was cancelled.|{S} did not take place because of {cause}. > why {s} was cancelled|the reason{of}|the cancellation > Why was {s} cancelled?|Why did {s} not take place? > {cause}
{person2} organised {s}.|{S} was organised by {person2}. > the organiser{of}|who organised {s} > Who organised {s}? > {person2}
{S} ended with {athing2}.|At the end of {s} there was {athing2}. > the end{of}|how {s} ended > What was there at the end of {s}?|How did {s} end? > {athing2}
The opening speech at {s} was given by {person3}.|{person3} gave the opening speech at {s}. > the opening speech|who spoke first|the speaker > Who gave the opening speech at {s}? > {person3}
Tickets for {s} cost {money}.|A ticket for {s} costs {money}. > the ticket price|the price{of}|how much tickets cost > How much do tickets for {s} cost?|How much does a ticket for {s} cost? > {money}
"""

MACHINE = """
{S} was invented by {person} in {year}.|{person} invented {s} in {year}. > the inventor{of}|who invented {s} > Who invented {s}? > {person} && when {s} was invented|the year of the invention|the invention{of} > When was {s} invented?|In which year was {s} invented? > {year}
{S} is used for {purpose}.|People use {s} for {purpose}.|{S} helps with {purpose}. > the use{of}|what {s} is used for|the purpose{of} > What is {s} used for?|What do people use {s} for? > {purpose}
{S} weighs {weight}.|{P} weight is {weight}. > the weight{of}|how heavy {s} is|how much {s} weighs > How much does {s} weigh?|How heavy is {s}? > {weight}
{S} costs {money}.|{P} price is {money}.|You can buy {s} for {money}. > the price{of}|how much {s} costs|the cost{of} > How much does {s} cost?|What is the price of {s}? > {money}
{S} is made of {material}.|{P} case is made of {material}. > the material{of}|what {s} is made of > What is {s} made of? > {material}
{S} has {small} {choicepart}.|There are {small} {choicepart} in {s}. > the {choicepart}{of}|how many {choicepart} {s} has|the number of {choicepart} > How many {choicepart} does {s} have? > {small}
{S} runs on {choicefuel}.|{S} is powered by {choicefuel}.|{choicefuel} drives {s}. > the fuel{of}|what {s} runs on|what powers {s} > What does {s} run on?|What is {s} powered by? > {choicefuel}
The battery of {s} lasts {duration}.|{P} battery lasts {duration}. > the battery{of}|how long the battery lasts|the battery life > How long does the battery of {s} last? > {duration}
{S} can carry {weight2}.|{S} carries up to {weight2}. > the load{of}|how much {s} can carry > How much can {s} carry? > {weight2}
{S} is built in {place}.|{S} is made in {place}.|The factory of {s} is in {place}. > where {s} is made|the factory{of} > Where is {s} made?|Where is {s} built? > {place}
{S} is sold by {name2}.|{name2} sells {s}. > the seller{of}|who sells {s} > Who sells {s}? > {name2}
The red button of {s} {choicebutton}.|Pressing the red button of {s} {choicebutton}. > the red button|what the red button does > What does the red button of {s} do? > {choicebutton}
{S} broke down because of {cause}.|Because of {cause}, {s} broke down. > why {s} broke down|the breakdown{of} > Why did {s} break down? > {cause}
{P} tank holds {volume}.|The tank of {s} holds {volume}. > the tank{of}|how much the tank holds > How much does the tank of {s} hold? > {volume}
{S} must be cleaned every {duration2}.|Clean {s} every {duration2}. > the cleaning{of}|how often to clean {s} > How often must {s} be cleaned? > every {duration2}
"""

NATURE = """
{S} is {length} high.|{P} height is {length}.|{S} rises {length} above the plain. > the height{of}|how high {s} is > How high is {s}?|What is the height of {s}? > {length}
{S} is {length2} deep.|{P} greatest depth is {length2}. > the depth{of}|how deep {s} is > How deep is {s}?|What is the depth of {s}? > {length2}
{S} is {length3} long.|{P} length is {length3}. > the length{of}|how long {s} is > How long is {s}? > {length3}
{S} lies in {place}.|{S} is in the north of {place}.|You find {s} in {place}.|{S} can be found in {place}. > where {s} lies|the location{of}|where {s} is > Where is {s}?|Where does {s} lie?|Where can {s} be found? > {place}
{S} was discovered by {person} in {year}.|{person} discovered {s} in {year}.|In {year} {person} discovered {s}. > the discoverer{of}|who discovered {s} > Who discovered {s}? > {person} && when {s} was discovered|the discovery{of} > When was {s} discovered?|In which year was {s} discovered? > {year}
{S} was first climbed by {person2}.|{person2} was the first to climb {s}.|The first person on top of {s} was {person2}. > who first climbed {s}|the first climb|the first climber{of} > Who was the first to climb {s}?|Who first climbed {s}? > {person2}
{S} is named after {person3}.|{S} takes its name from {person3}. > the name{of}|who {s} is named after > Who is {s} named after? > {person3}
{S} is home to {animals}.|Many {animals} live in {s}.|{S} is full of {animals}. > the animals{of}|what lives in {s}|the wildlife{of} > Which animals live in {s}?|What is {s} home to? > {animals}
{S} freezes in {month}.|In {month} {s} is covered with ice.|{P} water freezes in {month}. > when {s} freezes|the ice{of} > When does {s} freeze?|In which month does {s} freeze? > {month}
{S} was formed by {choiceforce}.|{choiceforce} formed {s}. > the origin{of}|how {s} was formed|what formed {s} > What formed {s}?|How was {s} formed? > {choiceforce}
{S} flows into the {pseudo2}.|{S} ends in the {pseudo2}. > where {s} flows|the mouth{of} > Where does {s} flow?|What does {s} flow into? > {pseudo2}
{S} is covered with {choicecover}.|{choicecover} covers {s}. > what covers {s}|the cover{of} > What is {s} covered with?|What covers {s}? > {choicecover}
{S} is {number} years old.|{P} age is {number} years.|{S} formed {number} years ago. > the age{of}|how old {s} is > How old is {s}? > {number} years
{S} circles its star in {duration}.|One year on {s} lasts {duration}. > the year{of}|how long a year lasts > How long does a year on {s} last? > {duration}
{S} has {small} moons.|{small} moons circle {s}. > the moons{of}|how many moons {s} has|the number of moons > How many moons does {s} have? > {small}
"""

WORK = """
{S} was written by {person}.|{person} wrote {s}.|The author of {s} is {person}.|{person} is the author of {s}. > the author{of}|the writer{of}|who wrote {s} > Who wrote {s}?|Who is the author of {s}? > {person}
{S} appeared in {year}.|{S} was published in {year}.|{S} came out in {year}. > when {s} appeared|the year{of}|the publication{of} > When did {s} appear?|When was {s} published?|In which year did {s} come out? > {year}
{S} has {number} pages.|{S} is {number} pages long. > the pages{of}|the length{of}|how many pages {s} has > How many pages does {s} have?|How long is {s}? > {number}
{S} tells the story of a {job} from {place}.|{S} is about a {job} from {place}. > the hero{of}|what {s} is about|the story{of} > Who is {s} about?|Whose story does {s} tell? > a {job} from {place}
{S} is set in {place}.|The story of {s} takes place in {place}. > where {s} is set|the setting{of} > Where is {s} set?|Where does the story of {s} take place? > {place}
The main character of {s} is {person2}.|{P} main character is called {person2}.|{person2} is the hero of {s}. > the main character{of}|the hero{of} > Who is the main character of {s}?|Who is the hero of {s}? > {person2}
{S} was translated into {language}.|There is a translation of {s} into {language}. > the translation{of}|the language{of} > Into which language was {s} translated? > {language}
{S} sold {number2} copies.|{number2} copies of {s} were sold. > the sales{of}|how many copies were sold|the number of copies > How many copies of {s} were sold? > {number2}
{S} was sold for {money}.|A collector paid {money} for {s}. > the price{of}|how much {s} was sold for > How much was {s} sold for?|How much did a collector pay for {s}? > {money}
{S} won the {name3} Prize.|The {name3} Prize went to {s}. > the prize{of}|what {s} won > Which prize did {s} win?|What did {s} win? > {name3} Prize
{S} hangs in the {spot}.|You can see {s} in the {spot}. > where {s} hangs|where {s} is > Where does {s} hang?|Where can you see {s}? > {spot}
{S} was lost in {year2}.|{S} disappeared in {year2}. > when {s} was lost|the loss{of} > When was {s} lost?|When did {s} disappear? > {year2}
{S} was found in the {spot2} by {person3}.|{person3} found {s} in the {spot2}. > who found {s}|the finder{of} > Who found {s}? > {person3} && where {s} was found|the place of the find > Where was {s} found? > {spot2}
The music of {s} was composed by {person4}.|{person4} composed the music of {s}. > the music{of}|the composer{of}|who composed the music > Who composed the music of {s}? > {person4}
{S} is dedicated to {person5}. > the dedication{of} > Who is {s} dedicated to?|To whom is {s} dedicated? > {person5}
"""

SHIP = """
{S} sailed from {place} to {place2}.|{S} left {place} for {place2}. > the start of the voyage|where {s} sailed from > Where did {s} sail from?|Which port did {s} leave? > {place} && the destination{of}|where {s} sailed to|where {s} was going > Where did {s} sail to?|What was the destination of {s}? > {place2}
The captain of {s} was {person}.|{P} captain was {person}.|{person} commanded {s}.|{S} was commanded by {person}. > the captain{of}|who commanded {s} > Who was the captain of {s}?|Who commanded {s}? > {person}
{S} sank in {year}.|In {year} {s} sank near {place3}.|{S} sank near {place3} in {year}. > when {s} sank|the sinking{of}|the year {s} sank > When did {s} sink?|In which year did {s} sink? > {year}
{S} carried {number} {choicegoods}.|On board {s} were {number} {choicegoods}. > the cargo{of}|the load{of}|the number of {choicegoods}|how many {choicegoods} were on board > How many {choicegoods} did {s} carry?|How many {choicegoods} were on board {s}? > {number}
{S} was built in {place4}.|{P} builders came from {place4}. > where {s} was built > Where was {s} built? > {place4}
{S} had a crew of {small}.|{small} people worked on board {s}. > the crew{of}|the size of the crew > How many people were in the crew of {s}?|How big was the crew of {s}? > {small}
The journey of {s} took {duration}.|{S} was at sea for {duration}.|{S} arrived after {duration}. > the length of the journey|how long the journey took|the duration of the trip > How long did the journey of {s} take?|How long was {s} at sea? > {duration}
{S} was {length} long.|{P} length was {length}. > the length{of}|how long {s} was > How long was {s}? > {length}
{S} was painted {colour}.|{P} sails were {colour}. > the colour{of} > What colour was {s}? > {colour}
{S} departs at {time}.|{S} leaves at {time}. > the departure{of}|when {s} leaves > When does {s} leave?|At what time does {s} depart? > {time}
{S} arrives at {time2}. > the arrival{of}|when {s} arrives > When does {s} arrive?|At what time does {s} arrive? > {time2}
The wreck of {s} was found by {person2}.|{person2} found the wreck of {s}. > the wreck{of}|who found the wreck > Who found the wreck of {s}? > {person2}
{S} turned back because of {cause}.|Because of {cause}, {s} turned back. > why {s} turned back|the reason for turning back > Why did {s} turn back? > {cause}
A ticket for {s} costs {money}.|A seat on {s} costs {money}. > the fare{of}|the price of a ticket|the ticket price > How much does a ticket for {s} cost? > {money}
"""

CLUB = """
{S} meets every {day} in the {spot}.|{S} meets in the {spot} on {day}. > when {s} meets|the meeting day{of} > When does {s} meet?|On which day does {s} meet? > {day} && where {s} meets|the meeting place{of} > Where does {s} meet? > {spot}
{S} has {number} members.|{number} people belong to {s}. > the members{of}|how many members {s} has|the number of members > How many members does {s} have?|How many people belong to {s}? > {number}
{person} is the president of {s}.|{P} president is {person}.|{S} is led by {person}. > the president{of}|the leader{of}|who leads {s} > Who is the president of {s}?|Who leads {s}? > {person}
{person2} trains {s}.|{P} coach is {person2}.|The coach of {s} is {person2}. > the coach{of}|who trains {s}|the trainer{of} > Who trains {s}?|Who is the coach of {s}? > {person2}
{S} beat {name2} by {small} points.|{name2} lost to {s} by {small} points. > who lost to {s}|the opponent{of}|who {s} beat > Who did {s} beat? > {name2} && by how many points {s} won|the result > By how many points did {s} win?|By how many points did {s} beat {name2}? > {small}
{S} plays in {colour}.|{P} colour is {colour}.|{P} shirts are {colour}. > the colour{of}|the shirts{of} > In which colour does {s} play?|What colour are the shirts of {s}? > {colour}
{P} captain is {person3}.|{person3} is the captain of {s}. > the captain{of} > Who is the captain of {s}? > {person3}
Membership in {s} costs {money} a year.|Members of {s} pay {money} a year. > the fee{of}|what members pay|the membership fee > How much does membership in {s} cost?|How much do members of {s} pay a year? > {money}
{P} mascot is a {animal}.|A {animal} is the mascot of {s}. > the mascot{of} > What is the mascot of {s}?|Which animal is the mascot of {s}? > {animal}
{S} was started in {year} by {person4}.|In {year} {person4} started {s}. > who started {s}|the founder{of} > Who started {s}? > {person4} && when {s} was started|the beginning{of} > When was {s} started? > {year}
The next meeting of {s} is on {date}.|{S} meets again on {date}. > the next meeting|the date of the next meeting > When is the next meeting of {s}? > {date}
The oldest member of {s} is {person5}.|{person5} is the oldest member of {s}. > the oldest member{of} > Who is the oldest member of {s}? > {person5}
The youngest member of {s} is {person6}.|{person6} is the youngest member of {s}. > the youngest member{of} > Who is the youngest member of {s}? > {person6}
"""

PLANT = """
{S} grows in {place}.|{S} is found in {place}. > where {s} grows|the home{of} > Where does {s} grow?|Where is {s} found? > {place}
{S} flowers in {month}.|{P} flowers open in {month}.|In {month} {s} is in flower. > when {s} flowers|the flowering time{of} > When does {s} flower?|In which month does {s} flower? > {month}
{P} flowers are {colour}.|{S} has {colour} flowers. > the flowers{of}|the colour of the flowers > What colour are the flowers of {s}? > {colour}
{S} grows up to {length}.|{S} can be {length} tall. > the height{of}|how tall {s} grows > How tall does {s} grow?|How tall can {s} be? > {length}
{P} leaves are used for {purpose}.|People use the leaves of {s} for {purpose}. > the leaves{of}|the use of the leaves > What are the leaves of {s} used for? > {purpose}
{P} seeds are spread by {animals}.|{animals} spread the seeds of {s}. > the seeds{of}|what spreads the seeds > What spreads the seeds of {s}?|Which animals spread the seeds of {s}? > {animals}
{P} fruit tastes like {food}.|The fruit of {s} tastes of {food}. > the taste{of}|the fruit{of} > What does the fruit of {s} taste like? > {food}
{S} needs {volume} of water a week.|Gardeners give {s} {volume} of water a week. > the water{of}|how much water {s} needs > How much water does {s} need? > {volume}
{S} was brought to {place2} by {person}.|{person} brought {s} to {place2}. > who brought {s} to {place2} > Who brought {s} to {place2}? > {person} && where {person} brought {s} > Where did {person} bring {s}? > {place2}
{S} can live for {duration}.|{S} reaches an age of {duration}. > the age{of}|how long {s} lives > How long can {s} live? > {duration}
"""

SINGLES = """
The {choicesup} {choicegeo} in {place} is {name}.|{name} is the {choicesup} {choicegeo} in {place}.|In {place} the {choicesup} {choicegeo} is called {name}. > the {choicesup} {choicegeo}|the {choicesup} {choicegeo} in {place} > What is the {choicesup} {choicegeo} in {place}?|Which is the {choicesup} {choicegeo} in {place}? > {name}
The {choiceattr} of the {thing} is {pseudo}.|The {thing} has the {choiceattr} {pseudo}. > the {choiceattr} of the {thing}|the {choiceattr} > What is the {choiceattr} of the {thing}? > {pseudo}
{person} {choicepast} the {thing}.|The {thing} was {choicepast} by {person}. > who {choicepast} the {thing}|the {thing} > Who {choicepast} the {thing}? > {person}
On {day}, {person} {choicepast} the {thing}.|{person} {choicepast} the {thing} on {day}. > when the {thing} was {choicepast} > When was the {thing} {choicepast}?|On which day was the {thing} {choicepast}? > {day} && who {choicepast} the {thing} > Who {choicepast} the {thing}? > {person}
The {thing} in the {spot} belongs to {person}.|{person} owns the {thing} in the {spot}. > the owner of the {thing}|who owns the {thing} > Who owns the {thing}?|Who does the {thing} belong to? > {person} && where the {thing} is > Where is the {thing}? > {spot}
{person} put the {thing} in the {spot}.|The {thing} is in the {spot}, where {person} left it. > where the {thing} is|the place of the {thing} > Where is the {thing}? > {spot}
{animals} eat {food}.|{animals} like to eat {food}.|{animals} feed on {food}. > what {animals} eat|the food of {animals} > What do {animals} eat?|What do {animals} feed on? > {food}
{pseudo}s are made from {material} and {food}.|People make {pseudo}s from {material} and {food}. > what {pseudo}s are made from|the making of {pseudo}s > What are {pseudo}s made from? > {material} and {food}
The word {pseudo} means {thing}.|In the old language, {pseudo} means {thing}. > the meaning of {pseudo}|what {pseudo} means > What does {pseudo} mean? > {thing}
Water turns into {pseudo} at {number} degrees.|At {number} degrees water turns into {pseudo}. > when water turns into {pseudo}|the temperature > At how many degrees does water turn into {pseudo}? > {number}
{person} sold the {thing} to {person2} for {money}.|{person2} bought the {thing} from {person} for {money}. > the buyer of the {thing}|who bought the {thing} > Who bought the {thing}? > {person2} && the price of the {thing}|how much the {thing} cost > How much did the {thing} cost?|How much did {person2} pay for the {thing}? > {money} && the seller of the {thing}|who sold the {thing} > Who sold the {thing}? > {person}
{person} gave {person2} {athing}.|{person2} got {athing} from {person}. > the gift|what {person2} got|what {person} gave {person2} > What did {person} give {person2}?|What did {person2} get from {person}? > {athing} && who gave {person2} {athing}|the giver > Who gave {person2} {athing}? > {person}
The password for the {spot} is {code}.|To enter the {spot} you need the code {code}. > the password|the code for the {spot} > What is the password for the {spot}?|Which code do you need to enter the {spot}? > {code}
The war between {place} and {place2} ended in {year}.|In {year} the war between {place} and {place2} ended. > the end of the war|when the war ended > When did the war between {place} and {place2} end? > {year}
The {pseudo} is the organ that {choiceorgan}.|The organ that {choiceorgan} is called the {pseudo}. > the organ that {choiceorgan}|what the {pseudo} does > Which organ {choiceorgan}?|What is the organ that {choiceorgan} called? > {pseudo}
The distance from {place} to {place2} is {length}.|{place} is {length} from {place2}. > the distance|how far {place} is from {place2} > How far is it from {place} to {place2}? > {length}
The currency of {place} is the {pseudo}.|In {place} people pay with the {pseudo}. > the currency of {place}|the money of {place} > What is the currency of {place}? > {pseudo}
The {choicerole} of {place} is {person}.|{person} is the {choicerole} of {place}.|{person} became {choicerole} of {place} in {year}. > the {choicerole} of {place}|the {choicerole} > Who is the {choicerole} of {place}? > {person}
The {choicerole} before {person} was {person2}. > who came before {person}|the earlier {choicerole} > Who was the {choicerole} before {person}? > {person2}
A {thing} costs {money} at the {spot}.|At the {spot} you pay {money} for a {thing}. > the price of a {thing}|how much a {thing} costs > How much does a {thing} cost? > {money}
The exam is on {date}.|We write the exam on {date}. > the date of the exam|when the exam is > When is the exam? > {date}
The meeting with {person} begins at {time}.|{person} meets us at {time}. > the meeting with {person}|when the meeting begins > When does the meeting with {person} begin?|At what time does {person} meet us? > {time}
The bus to {place} leaves at {time}.|At {time} the bus to {place} leaves. > the bus to {place}|when the bus leaves > When does the bus to {place} leave? > {time}
"""

CHOICES = {
    "kin": "brother|sister|daughter|son|neighbour|uncle|aunt|cousin|best friend|assistant|dog|cat|horse",
    "act": "swim fast|hold branches|frighten enemies|keep its balance|dig holes|store fat|warm its young|send signals|catch flies",
    "stock": "books|maps|paintings|letters|coins|stuffed birds|clocks|masks|photographs|old films|seeds|bottles|recordings",
    "part": "wheels|buttons|blades|legs|doors|seats|gears|lights|handles|pipes|keys|sensors|drawers",
    "fuel": "steam|wind|diesel|sunlight|electricity|water power|gas|coal|wood|hydrogen|batteries|muscle power",
    "button": "stops the engine|opens the door|starts the pump|switches on the light|rings the bell|empties the tank|locks the wheels",
    "force": "a volcano|melting ice|the wind|a falling star|a river|an earthquake|waves|slow rain",
    "cover": "snow|thick forest|sand|moss|black rock|tall grass|heather|ice|pine trees|salt|fog",
    "goods": "passengers|barrels|crates|horses|sacks of rice|letters|boxes of tea|soldiers|bales of cotton|guns|sheep",
    "sup": "highest|longest|largest|oldest|smallest|deepest|tallest|widest|coldest|busiest|richest|best known|youngest|most expensive",
    "geo": "mountain|river|lake|city|tower|bridge|island|building|school|tree|road|cave|valley|waterfall|harbour|museum|park|desert|village",
    "attr": "name|code|number|colour code|nickname|brand|mark|label|type|model|serial number|motto|symbol",
    "past": "found|bought|sold|repaired|lost|stole|cleaned|painted|broke|hid|borrowed|moved|invented|opened|closed|dropped|sent|burned|tested",
    "organ": "pumps the blood|cleans the blood|stores sugar|makes eggs|filters air|controls balance|produces sweat|digests food|hears sounds",
    "role": "king|queen|president|mayor|bishop|governor|chief|duke|minister|head teacher|manager|sheriff|leader",
}

CATEGORIES = {
    "town": (TOWN, "town|village|city|place", "name"),
    "company": (COMPANY, "company|firm|shop|business|bakery|factory", "name|firm"),
    "person": (PERSON, "", "person"),
    "animal": (ANIMAL, "animal|creature", "species"),
    "building": (BUILDING, "building|tower|library|museum|bridge|castle|theatre|hotel|lighthouse", "site"),
    "event": (EVENT, "festival|event|race|fair|concert|contest", "event"),
    "machine": (MACHINE, "machine|device|tool", "device"),
    "nature": (NATURE, "mountain|lake|river|island|planet|valley|glacier", "terrain"),
    "work": (WORK, "book|novel|story|film|poem|painting", "title"),
    "ship": (SHIP, "ship|boat|ferry|train", "ship"),
    "club": (CLUB, "club|team|group|society|choir", "club"),
    "plant": (PLANT, "plant|tree|flower|herb", "species"),
}

FILLERS = (
    "Many people do not know this.|The weather there is often mild.|It is a popular subject at school.|Children like to hear about it.|"
    "Nobody knows exactly why.|This is well known.|The story is told in many ways.|More about that in the next lesson.|Scientists still study it.|"
    "There are many pictures of it.|It was a surprise to everyone.|That was a long time ago.|People talk about it to this day.|Today we look at it more closely.|"
    "Not everyone agrees.|It has not always been so.|In winter it is quiet.|You can read about it in the library.|Few people have seen it.|It is worth a visit."
).split("|")
