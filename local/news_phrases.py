"""The phrases that the demo's news are made of: who does what and when, and what there is to add."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Any of `who`, `does` and `when` make a headline together; each of `details` is a sentence of a lead under it."""

    who: tuple[str, ...]
    does: tuple[str, ...]
    when: tuple[str, ...]
    details: tuple[str, ...]


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split("; "))


def _scene(who: str, does: str, when: str, details: str) -> Scene:
    return Scene(who=_phrases(who), does=_phrases(does), when=_phrases(when), details=_phrases(details))


DESKS: dict[str, tuple[Scene, ...]] = {
    "BUSINESS": (
        _scene(
            "the country's largest retailer; a grocery chain; the airline; a family brewery; a maker of car parts",
            "cuts its profit forecast; reports record revenue; warns of lower earnings; replaces its chairman",
            "after a weak quarter; on the eve of its annual results; amid a price war; as shoppers save",
            "shares fell {number} percent in early trading; analysts had expected a smaller loss; "
            "turnover grew by {number} percent over the year; sales in {city} were the lowest for {number} years",
        ),
        _scene(
            "the central bank; a regional bank; a mortgage lender; the insurer; the pension fund",
            "raises interest rates; writes off loans; sells bonds to investors; lowers its fees",
            "in spite of inflation; as the dollar gains; before the budget; after an audit",
            "economists in {city} see the first sign of a recovery; the bond pays {number} percent; "
            "the currency lost {number} cents; borrowers will pay more from {day}",
        ),
        _scene(
            "the oil group; a software house; a brewery from {city}; the freight company; a media concern",
            "agrees to a takeover; reopens merger talks; buys back shares; raises its dividend",
            "to please shareholders; in a falling market; after a rival's bankruptcy; to pay off its debt",
            "the deal is worth {many} million dollars; a buyer for the stake is not in sight; "
            "the board meets its auditors on {day}; investors had asked for savings since spring",
        ),
        _scene(
            "a supplier of steel; a textile exporter; the shipyard; a furniture manufacturer; a tyre maker",
            "closes two factories; freezes wages; doubles its exports; hires {many} workers",
            "as new tariffs begin; as freight costs climb; after a rise in orders; at the start of the season",
            "about {many} jobs depend on it; the unions want {number} percent more pay; "
            "orders from {city} make up a third of production; lenders have agreed to wait until {day}",
        ),
    ),
    "SCI_TECH": (
        _scene(
            "a popular browser; an open-source project; an encryption app; the operator of a data centre; "
            "a cloud service",
            "closes a hole in its code; blocks a wave of malware; drops an old protocol; suffers a software failure",
            "after a hint from hackers; in a nightly update; for {many} thousand users; with the help of volunteers",
            "users should install the patch by {day}; a server in {city} had been open for {number} months; "
            "passwords were not stolen; the source is free to download",
        ),
        _scene(
            "a weather satellite; a probe on its way to a comet; the space agency; an orbiting telescope; "
            "a lunar rover",
            "sends its first images; finds water on a distant moon; loses its signal; measures a solar storm",
            "after {number} years in space; with a sensor made of glass; on its second orbit; "
            "in the shadow of a planet",
            "the spacecraft is {many} million kilometres away; the next launch window opens on {day}; "
            "astronomers in {city} confirmed the measurement; its batteries last for {number} more months",
        ),
        _scene(
            "a group of geneticists; a laboratory for vaccines; an institute for marine biology; a team of chemists; "
            "a university hospital",
            "decodes an ancient genome; grows an enzyme that eats plastic; slows a virus; finds a molecule in coral",
            "after years of experiments; in a journal's new issue; for the first time in living cells; "
            "at a temperature near zero",
            "the study followed {many} volunteers; researchers in {city} repeated the experiment {number} times; "
            "the protein was thought to be unstable; reviewers call the evidence convincing",
        ),
        _scene(
            "a young software firm; a chip designer; a robotics laboratory; a maker of smartphones; "
            "a team of physicists",
            "shows a quantum computer; teaches a robot to sort waste; shrinks a laser to a hair's width; "
            "publishes its algorithm",
            "with half the energy; with the help of machine learning; using old smartphones; at a fair in {city}",
            "the prototype weighs {many} grams; its processor works {number} times as fast; "
            "engineers tested {number} designs; the first devices are to be sold from {day}",
        ),
    ),
    "SPORTS": (
        _scene(
            "the home side; the club's new striker; the visitors; the league's top scorer; a substitute",
            "wins in extra time; scores from the halfway line; turns the match around; wastes a penalty",
            "in front of a full stadium; ten minutes from the end; in the cup final; in pouring rain",
            "the referee added {number} minutes; the midfield had no answer; the goalkeeper saved {number} shots; "
            "the next fixture is away in {city}",
        ),
        _scene(
            "a 19-year-old sprinter; a marathon runner; the women's relay team; the hurdles favourite; the long jumper",
            "breaks the track record; takes gold; finishes on the podium; is beaten by a hair",
            "at the first attempt; after a fall in training; in {city}; in the last race of the season",
            "the runner-up was {number} hundredths behind; the wind was just within the limit; "
            "the coach had doubted that the knee would hold; the championship begins on {day}",
        ),
        _scene(
            "a tennis player from {city}; an unseeded pair; the defending champion; last year's finalist; a qualifier",
            "loses in straight sets; saves {number} match points; reaches the semi-final; wins a thrilling tie-break",
            "on a slow court; in the longest rally of the week; with a bandaged wrist; after a break for rain",
            "the umpire asked the crowd for silence; the second serve was the weak point; "
            "the draw for the doubles is on {day}; the final set lasted {many} minutes",
        ),
        _scene(
            "the quarterback; the national coach; the captain; a veteran defender; the team's physio",
            "returns to training; misses the playoffs; signs for three seasons; quarrels with the bench",
            "with a broken finger; on transfer day; before the derby; after four defeats",
            "the transfer is said to cost {many} thousand; fans sang long after the whistle; "
            "it is the club's worst start for {number} seasons; a knee injury may take {number} weeks",
        ),
    ),
    "WORLD": (
        _scene(
            "the opposition; the parliament; the election commission; the ruling coalition; "
            "the president of the republic",
            "calls for new elections; counts the ballots again; postpones the referendum; loses its majority",
            "after weeks of protest; in a late session; in a televised address; on the anniversary of independence",
            "the vote is set for {day}; the constitution allows {number} terms; "
            "demonstrators held the square until dawn; observers saw irregularities in {number} districts",
        ),
        _scene(
            "a delegation of rebels; the militia; the army; a former general; the peacekeeping mission",
            "agrees to a ceasefire; leaves the province; frees {number} hostages; crosses the front line",
            "after a night of shelling; as talks resume; after a failed coup; before the summit",
            "both sides claim the province; soldiers guard {number} roads out of the capital; "
            "prisoners are to be exchanged in {city}; the truce has held since {day}",
        ),
        _scene(
            "the foreign minister; an envoy of the union; the embassy in {city}; the island's government; "
            "a neighbouring state",
            "rejects the treaty; asks for sanctions; recalls its diplomats; offers to mediate",
            "under pressure from its allies; after a secret meeting; in the face of a boycott; ahead of a state visit",
            "diplomats in {city} speak of progress; the agreement has {number} articles; the council votes on {day}; "
            "a spokesman denied that there had been threats",
        ),
        _scene(
            "a border town; a camp for refugees; the interior ministry; a convoy of aid; the province's governor",
            "waits for food and tents; declares an emergency; takes in {many} families; closes the border",
            "after an earthquake; as floods cut off the valley; as famine spreads; after a bomb at a market",
            "aid workers count {many} families without shelter; about {many} people have fled since {day}; "
            "the hospital in {city} has no more beds; a curfew begins at dusk",
        ),
    ),
}
GENERAL = _phrases(
    "more is expected to be known on {day}; it is the second time this year; the news came late on {day}; "
    "reactions were divided; nobody was available for comment; people in {city} were surprised; "
    "a decision may take {number} weeks; few had believed it possible; the details are to be published on {day}; "
    "it had been planned for {number} years; critics call it a mistake; a statement is promised for {day}; "
    "the mood in {city} was calm; similar news had come from {city} before"
)
"""What could be said of anything."""
VAGUE = _phrases(
    "surprise in {city} at the news of {day}; what {city} will talk about on {day}; a long day in {city}; "
    "the week that changed {city}; no quick answers on {day}; after {number} years, a new beginning"
)
"""Headlines that tell nothing."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CITIES = ("Lisbon", "Oslo", "Nairobi", "Lima", "Seoul", "Montreal", "Prague", "Perth", "Accra", "Bologna")
