"""The phrases that the demo's news are made of: who does what after what, and what there is to add."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Any of `who`, `does` and `after` make a headline together; each of `details` is a sentence of a lead."""

    who: tuple[str, ...]
    does: tuple[str, ...]
    after: tuple[str, ...]
    details: tuple[str, ...]


DESKS = {
    "BUSINESS": Desk(
        who=(
            *("a regional bank", "the country's largest retailer", "a maker of car parts", "the airline"),
            *("a family brewery", "the insurer", "a supplier of steel", "the central bank"),
            *("a grocery chain", "the freight company", "a mortgage lender", "the oil group"),
            *("a furniture manufacturer", "the pension fund", "a textile exporter", "the stock exchange"),
        ),
        does=(
            *("cuts its profit forecast", "raises its dividend", "agrees to a takeover", "warns of lower earnings"),
            *("closes two factories", "sells bonds to investors", "reports record revenue", "freezes wages"),
            *("lowers prices", "replaces its chairman", "reopens merger talks", "writes off a loan"),
            *("borrows from its suppliers", "doubles its exports", "leaves the market", "buys back shares"),
        ),
        after=(
            *("after a weak quarter", "as interest rates rise", "in spite of inflation", "before the budget"),
            *("as the dollar gains", "after an audit", "amid a price war", "as new tariffs begin"),
            *(
                "after a rise in orders",
                "on the eve of its annual results",
                "as freight costs climb",
                "after a rival's bankruptcy",
            ),
            *("to pay off its debt", "as shoppers save", "to please shareholders", "in a falling market"),
        ),
        details=(
            *("shares fell {number} percent in early trading", "analysts had expected a smaller loss"),
            *("the deal is worth {many} million dollars", "about {many} jobs depend on it"),
            *("turnover grew by {number} percent over the year", "investors had asked for savings since spring"),
            *("the bond pays {number} percent", "lenders have agreed to wait until {day}"),
            *("its accounts show a surplus of {many} million", "customers will pay more from {day}"),
            *("economists in {city} see the first sign of a recovery", "the unions want {number} percent more pay"),
            *("the currency lost {number} cents", "the board meets its auditors on {day}"),
            *("sales in {city} were the lowest for {number} years", "a buyer for the stake is not in sight"),
        ),
    ),
    "SCI_TECH": Desk(
        who=(
            *(
                "a team of physicists",
                "the maker of a popular browser",
                "a weather satellite",
                "an open-source project",
            ),
            *("a laboratory for vaccines", "the space agency", "a young software firm", "an observatory in the desert"),
            *(
                "a robot the size of a coin",
                "the developer of an encryption app",
                "a group of geneticists",
                "the chip designer",
            ),
            *(
                "a probe on its way to a comet",
                "an institute for marine biology",
                "a quantum computer",
                "the operator of a data centre",
            ),
        ),
        does=(
            *(
                "finds water on a distant moon",
                "fixes a flaw in its code",
                "decodes an ancient genome",
                "beats its own record",
            ),
            *(
                "learns to recognise voices",
                "sends its first images",
                "shrinks a laser to a hair's width",
                "stores power for a week",
            ),
            *(
                "maps the ocean floor",
                "blocks a wave of malware",
                "publishes its algorithm",
                "measures a pulse of gravity",
            ),
            *(
                "replaces batteries by sunlight",
                "grows an enzyme that eats plastic",
                "loses its signal",
                "doubles its memory",
            ),
        ),
        after=(
            *("after years of experiments", "with a new telescope", "in a test in orbit", "using old smartphones"),
            *(
                "with the help of machine learning",
                "after a software update",
                "at a temperature near zero",
                "in a journal's new issue",
            ),
            *(
                "with a sensor made of glass",
                "after a solar storm",
                "in a cave below the ice",
                "for the first time in a living cell",
            ),
            *(
                "with half the energy",
                "after a fault in its antenna",
                "in a simulation of the climate",
                "with parts from a printer",
            ),
        ),
        details=(
            *("the study followed {many} volunteers", "researchers in {city} repeated the measurement {number} times"),
            *("users should install the patch by {day}", "the spacecraft is {many} million kilometres away"),
            *("the prototype weighs {many} grams", "the data fill {many} hard disks"),
            *(
                "the molecule was thought to be unstable",
                "a server in {city} had been open to hackers for {number} months",
            ),
            *("the method works {number} times as fast", "the fossil is {many} million years old"),
            *("the next launch window opens on {day}", "its processor has {many} million transistors"),
            *("reviewers call the evidence convincing", "the virus spreads more slowly than was feared"),
            *("engineers tested {number} designs in a wind tunnel", "the source is free to download"),
        ),
    ),
    "SPORTS": Desk(
        who=(
            *("the league's top scorer", "a 19-year-old sprinter", "the home side", "the national coach"),
            *("the defending champion", "a veteran goalkeeper", "the visitors", "a tennis player from {city}"),
            *("the women's relay team", "the club's new striker", "a marathon runner", "the bowler"),
            *("the cycling favourite", "an unseeded pair", "the rowing eight", "the quarterback"),
        ),
        does=(
            *("wins in extra time", "misses the cup final", "breaks the track record", "signs for three seasons"),
            *("saves two penalties", "leaves the pitch with an injury", "takes gold", "turns the match around"),
            *("loses in straight sets", "is sent off", "returns to training", "scores from the halfway line"),
            *("drops out of the playoffs", "climbs to third place", "holds its nerve", "finishes on the podium"),
        ),
        after=(
            *("after a late goal", "in front of a full stadium", "on the last day of the season", "in pouring rain"),
            *("after a doubtful whistle", "against the champions", "in the opening round", "ten minutes from the end"),
            *("after a fall in the final bend", "in the semi-final", "on a slow pitch", "with a broken finger"),
            *(
                "after a video review",
                "in a thrilling tie-break",
                "at the first attempt",
                "in the longest rally of the week",
            ),
        ),
        details=(
            *("the referee added {number} minutes", "a crowd of {many} waited for autographs"),
            *("the final is in {city} on {day}", "the team is unbeaten in {number} matches"),
            *("the captain praised the defence", "the transfer is said to cost {many} thousand"),
            *("the next fixture is away in {city}", "the physio expects {number} weeks without training"),
            *("the runner-up was {number} seconds behind", "the score at half-time was level"),
            *("the coach changed {number} players", "the umpire stopped play for an hour"),
            *("fans sang long after the final whistle", "the midfield had no answer"),
            *("it is the club's best start for {number} seasons", "the wind made long passes a gamble"),
        ),
    ),
    "WORLD": Desk(
        who=(
            *("the foreign minister", "the opposition", "a convoy of aid", "the president of the republic"),
            *("a delegation of rebels", "the parliament", "a border town", "the peacekeeping mission"),
            *("the ruling coalition", "an envoy of the union", "the constitutional court", "a camp for refugees"),
            *("the interior ministry", "the island's government", "a former general", "the election commission"),
        ),
        does=(
            *("signs a ceasefire", "calls for new elections", "crosses the front line", "rejects the treaty"),
            *("recalls its ambassador", "ends the curfew", "accuses the neighbours", "frees {number} hostages"),
            *("goes into exile", "votes for sanctions", "opens the border", "postpones the referendum"),
            *("asks for asylum", "sends more troops", "declares an emergency", "counts the ballots again"),
        ),
        after=(
            *("after weeks of protest", "before the summit", "as talks resume", "after an earthquake"),
            *(
                "under pressure from its allies",
                "after a night of shelling",
                "as famine spreads",
                "in the face of a boycott",
            ),
            *(
                "after a failed coup",
                "on the anniversary of independence",
                "as the militia withdraws",
                "after a secret meeting",
            ),
            *(
                "ahead of a visit by the envoy",
                "as floods cut off the province",
                "after a bomb at a market",
                "in a televised address",
            ),
        ),
        details=(
            *("diplomats in {city} speak of progress", "about {many} people have fled since {day}"),
            *("the ballot is set for {day}", "soldiers guard {number} roads out of the capital"),
            *("both sides claim the province", "the agreement has {number} articles"),
            *("aid workers count {many} families without shelter", "the embassy in {city} stays closed"),
            *("the constitution allows {number} terms", "demonstrators held the square until dawn"),
            *("the council votes on {day}", "a spokesman denied that there had been arrests"),
            *("prisoners are to be exchanged in {city}", "the army has not commented"),
            *("neighbouring states fear for their borders", "observers saw irregularities in {number} districts"),
        ),
    ),
}
GENERAL = (
    "more is expected to be known on {day}",
    "it is the second time this year",
    "the news came late on {day}",
    "reactions were divided",
    "nobody was available for comment",
    "people in {city} were surprised",
    "a decision may take {number} weeks",
    "few had believed it possible",
    "the details are to be published on {day}",
    "it had been planned for {number} years",
    "critics call it a mistake",
    "a statement is promised for {day}",
    "the mood in {city} was calm",
    "similar news had come from {city} before",
)
"""What could be said of anything."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CITIES = ("Lisbon", "Oslo", "Nairobi", "Lima", "Seoul", "Montreal", "Prague", "Perth", "Accra", "Bologna")
