/**
 * Phrases that people choose as a pass phrase and that are in every list of guesses (NIST SP 800-63B-4 §3.1.1.2): examples
 * from the web, poems from school, songs. In small letters, without anything between the words.
 */
export const WELL_KNOWN_PHRASES: readonly string[] = `
correct horse battery staple
to be or not to be that is the question
the quick brown fox jumps over the lazy dog
the quick brown fox
jumps over the lazy dog
may the force be with you
let me in please
let me in now
open sesame
abracadabra
supercalifragilisticexpialidocious
i love you so much
i love you forever
i love you baby
i love my family
i love my mother
i love jesus
jesus is lord
jesus loves me
god is good
god is great
in god we trust
our father who art in heaven
in the beginning god created the heaven and the earth
in the beginning was the word
the lord is my shepherd
john three sixteen
for god so loved the world
trust no one
trust no1
i have a dream
we the people of the united states
four score and seven years ago
ask not what your country can do for you
one small step for man
one giant leap for mankind
all men are created equal
life liberty and the pursuit of happiness
liberte egalite fraternite
workers of the world unite
veni vidi vici
carpe diem
cogito ergo sum
alea iacta est
i think therefore i am
et tu brute
romeo romeo wherefore art thou romeo
friends romans countrymen lend me your ears
all the world is a stage
all that glitters is not gold
a rose by any other name
once upon a time
happily ever after
it was a dark and stormy night
it was the best of times it was the worst of times
call me ishmael
all animals are equal
big brother is watching you
winter is coming
one ring to rule them all
not all those who wander are lost
speak friend and enter
you shall not pass
expecto patronum
wingardium leviosa
i solemnly swear that i am up to no good
mischief managed
use the force luke
luke i am your father
do or do not there is no try
these are not the droids you are looking for
live long and prosper
beam me up scotty
to infinity and beyond
make it so number one
resistance is futile
i will be back
hasta la vista baby
here is looking at you kid
may the odds be ever in your favor
houston we have a problem
elementary my dear watson
shaken not stirred
my name is bond james bond
with great power comes great responsibility
why so serious
hakuna matata
let it go let it go
just keep swimming
never gonna give you up
never gonna let you down
all you need is love
let it be let it be
here comes the sun
stairway to heaven
highway to hell
smells like teen spirit
sweet child of mine
we will rock you
we are the champions
another brick in the wall
shine on you crazy diamond
dark side of the moon
twinkle twinkle little star
happy birthday to you
jingle bells jingle bells
silent night holy night
mary had a little lamb
humpty dumpty sat on a wall
row row row your boat
an apple a day keeps the doctor away
the early bird catches the worm
practice makes perfect
better late than never
time is money
hello world
this is my password
this is a password
my password is password
password password
what is my password
i forgot my password
i hate passwords
change me now
please change me
default password
administrator
super secret password
top secret password
secret password
my secret password
very long password
a very long password
this is a very long password
this is a secure password
secure password
strong password
pass phrase
pass word
never gonna guess
you will never guess this
who knows
no one knows
wrong password
incorrect password
your password is incorrect
login
welcome home
welcome to the jungle
manchester united
liverpool fc
you will never walk alone
real madrid
barcelona fc
dallas cowboys
pittsburgh steelers
green bay packers
new york yankees
san francisco
new york city
united states of america
star wars
star trek
harry potter
lord of the rings
game of thrones
chocolate chip cookies
peanut butter
sein oder nicht sein das ist hier die frage
ich liebe dich
ich denke also bin ich
passwort passwort
das ist mein passwort
mein passwort
sesam oeffne dich
sesam offne dich
es war einmal
alle meine entchen
vater unser im himmel
je t aime
mot de passe
ouvre toi sesame
il etait une fois
te amo mucho
te quiero mucho
mi contrasena
en un lugar de la mancha
ti amo
nel mezzo del cammin di nostra vita
`
  .split('\n')
  .map((line) => line.replaceAll(' ', ''))
  .filter((line) => line !== '');
