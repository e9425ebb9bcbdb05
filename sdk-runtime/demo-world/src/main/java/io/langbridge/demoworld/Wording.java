package io.langbridge.demoworld;

import io.langbridge.demoworld.Question.Kind;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Puts scenes into words: questions with their answers, and descriptions. Asks only what has one answer: a name like
 * "the circle" is used where there is one circle, places near a border are left out, and so on. Thread-safe.
 */
final class Wording {
    private static final double APART = 0.2;
    private static final String THING = "{thing|object|item}";
    private static final String PICTURE = "{picture|image|scene}";
    private static final String HERE = "{in the " + PICTURE + "|here|in this " + PICTURE + "|in it}";
    private static final List<Kind> LESSONS = lessonKinds();
    /** What is in no picture of the world, and what several of it are called. */
    private static final String[][] STRANGE = {
        {"cat", "cats"}, {"dog", "dogs"}, {"person", "people"}, {"man", "men"}, {"woman", "women"},
        {"child", "children"}, {"bird", "birds"}, {"fish", "fish"}, {"horse", "horses"}, {"animal", "animals"},
        {"car", "cars"}, {"bus", "buses"}, {"boat", "boats"}, {"house", "houses"}, {"building", "buildings"},
        {"tree", "trees"}, {"flower", "flowers"}, {"apple", "apples"}, {"chair", "chairs"}, {"table", "tables"},
        {"bottle", "bottles"}, {"phone", "phones"}, {"face", "faces"}, {"hand", "hands"}
    };

    private static final String[] NUMBERS = {"no", "one", "two", "three", "four", "five"};

    private final Scene scene;
    private final List<Item> items;
    private final SplittableRandom random;

    private Wording(Scene scene, SplittableRandom random) {
        this.scene = scene;
        this.items = scene.items();
        this.random = random;
    }

    /**
     * Questions about a scene, of as many kinds as it allows, each kind as likely as any other.
     *
     * @param count how many at most; no text comes twice
     */
    static List<Question> questions(Scene scene, SplittableRandom random, int count) {
        Wording wording = new Wording(scene, random);
        List<Question> questions = new ArrayList<>();
        Set<String> texts = new HashSet<>();
        EnumSet<Kind> possible = EnumSet.allOf(Kind.class);
        while (questions.size() < count && !possible.isEmpty()) {
            for (Kind kind : wording.shuffled(List.copyOf(possible))) {
                Optional<Question> question = wording.question(kind);
                if (question.isEmpty()) {
                    possible.remove(kind);
                } else if (questions.size() < count && texts.add(question.get().text())) {
                    questions.add(question.get());
                }
            }
        }
        return questions;
    }

    /**
     * Questions to learn from: more of the kinds that take looking for two things. A description, from which most of
     * what is on the patches is learnt, always comes: for every third scene alone, else last, lest it tells the rest.
     *
     * @param count how many at most; no text comes twice
     */
    static List<Question> lessons(Scene scene, SplittableRandom random, int count) {
        Wording wording = new Wording(scene, random);
        List<Question> questions = new ArrayList<>();
        if (random.nextInt(3) > 0) {
            Set<String> texts = new HashSet<>();
            for (int i = 0; i < 10 * count && questions.size() < count - 1; i++) {
                wording.question(wording.pick(LESSONS))
                        .filter(question -> texts.add(question.text()))
                        .ifPresent(questions::add);
            }
        }
        wording.describe().ifPresent(questions::add);
        return questions;
    }

    private static List<Kind> lessonKinds() {
        List<Kind> kinds = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            int times = switch (kind) {
                case DESCRIBE -> 0;
                case RELATION, RELATION_CHECK -> 6;
                case SIZE -> 5;
                case EXISTS, COUNT_FIGURE, COUNT_COLOUR -> 3;
                case FIGURE -> 2;
                default -> 1;
            };
            kinds.addAll(Collections.nCopies(times, kind));
        }
        return kinds;
    }

    /** The canonical description: every item from the top left to the bottom right in one sentence. */
    static String describe(Scene scene) {
        List<String> parts = scene.items().stream()
                .sorted(Comparator.<Item>comparingInt(item -> Place.row(scene, item))
                        .thenComparingDouble(Item::x))
                .map(item -> a(item.fullName()) + " " + Place.phrase(Place.cell(scene, item)))
                .collect(Collectors.toList());
        return "There is " + listed(parts) + ".";
    }

    /** The whole scene told in one of many ways, for language models to learn from that see no pictures. */
    static String story(Scene scene, SplittableRandom random) {
        return new Wording(scene, random).story();
    }

    private Optional<Question> question(Kind kind) {
        return switch (kind) {
            case WHAT -> what();
            case COLOUR -> colour();
            case FIGURE -> figure();
            case AT -> at();
            case COUNT_FIGURE -> countFigure();
            case COUNT_COLOUR -> countColour();
            case COUNT_ALL -> countAll();
            case WHERE -> where();
            case RELATION -> relation();
            case RELATION_CHECK -> relationCheck();
            case EXISTS -> exists();
            case SIZE -> size();
            case CHARACTER -> character();
            case DESCRIBE -> describe();
        };
    }

    private Optional<Question> what() {
        if (items.size() != 1) {
            return Optional.empty();
        }
        return ask(
                Kind.WHAT,
                a(items.get(0).name()),
                "what is {this|it|that|shown|shown here|drawn here|pictured}",
                "what {can|do} you see " + HERE,
                "what does the " + PICTURE + " {show|contain}",
                "{tell me|say} what this is.",
                "which " + THING + " is {this|shown|shown here|" + HERE + "}",
                "what is {in|on} {the|this} " + PICTURE,
                "what is the {only |}" + THING + " " + HERE,
                "what {thing|object} is this",
                "name the {thing|object|item} " + HERE + ".",
                "what are we looking at");
    }

    private Optional<Question> colour() {
        Optional<Item> item =
                any(candidate -> !references(candidate, Hidden.COLOUR).isEmpty());
        return item.flatMap(known -> {
            String it = reference(known, Hidden.COLOUR);
            return ask(
                    Kind.COLOUR,
                    known.colour().word(),
                    "what {color|colour} is " + it,
                    "which {color|colour} is " + it,
                    "what is the {color|colour} of " + it,
                    "{tell me|say|name} the {color|colour} of " + it + ".",
                    "what {color|colour} does " + it + " have",
                    "which {color|colour} does " + it + " have",
                    it + " has {what|which} {color|colour}",
                    it + " is {what|which} {color|colour}",
                    "in {what|which} {color|colour} is " + it + " {drawn|painted|shown}",
                    "{can|could} you tell me {what|which} {color|colour} " + it + " is",
                    "{what|which} {color|colour} has " + it,
                    "{what|which} is the {color|colour} of " + it,
                    "{the |}{color|colour} of " + it);
        });
    }

    private Optional<Question> figure() {
        Optional<Item> item =
                any(candidate -> !references(candidate, Hidden.FIGURE).isEmpty());
        return item.flatMap(known -> {
            String it = reference(known, Hidden.FIGURE);
            if (it.startsWith("the " + spelled(known.colour())) && random.nextInt(6) == 0) {
                return ask(
                        Kind.FIGURE,
                        known.noun(),
                        "what is " + it,
                        "what is " + it + " " + HERE,
                        "{tell me|say} what " + it + " is.",
                        "what do you call " + it);
            }
            return ask(
                    Kind.FIGURE,
                    known.noun(),
                    "{what|which} shape is " + it,
                    "what is the shape of " + it,
                    "what {kind|sort|type} of {shape|thing|object|figure} is " + it,
                    "{tell me|say|name} the shape of " + it + ".",
                    "{what|which} shape does " + it + " have",
                    "{what|which} {shape|figure} is " + it,
                    it + " is {what|which} shape",
                    "{can|could} you tell me {what|which} shape " + it + " {is|has}",
                    it + " has {what|which} shape",
                    "what is {the name of|} the shape of " + it);
        });
    }

    private Optional<Question> at() {
        List<String> empty = Place.empty(scene);
        if (!empty.isEmpty() && random.nextInt(100) < 12) {
            return askAt(pick(empty), "nothing");
        }
        return any(item -> !Place.onlyAt(scene, item).isEmpty())
                .flatMap(item -> askAt(pick(Place.onlyAt(scene, item)), a(item.name())));
    }

    private Optional<Question> askAt(String place, String answer) {
        String there = placed(place);
        return ask(
                Kind.AT,
                answer,
                "what is " + there,
                "what {can|do} you see " + there,
                "what is {shown|drawn|there|located|placed} " + there,
                "which " + THING + " is " + there,
                "{tell me|say|name} what is " + there + ".",
                there + ", what {is there|can you see|do you see}",
                "what is there " + there,
                "{what|which} " + THING + " {can|do} you see " + there,
                "what {thing|object} is " + there + " of the " + PICTURE);
    }

    private Optional<Question> countFigure() {
        Figure figure = pick(items).figure();
        if (random.nextBoolean()) { // what there is most of, lest the answer is nearly always 1
            figure = any(item -> count(ofFigure(item.figure())) > 1)
                    .map(Item::figure)
                    .orElse(figure);
        }
        if (random.nextInt(100) < 12) {
            figure = Figure.values()[random.nextInt(Figure.values().length)];
        } else if (random.nextInt(100) < 5) {
            return askCount(Kind.COUNT_FIGURE, STRANGE[random.nextInt(STRANGE.length)][1], 0);
        }
        return askCount(Kind.COUNT_FIGURE, plural(figure), count(ofFigure(figure)));
    }

    private Optional<Question> countColour() {
        Colour colour = pick(items).colour();
        if (random.nextBoolean()) {
            colour = any(item -> count(ofColour(item.colour())) > 1)
                    .map(Item::colour)
                    .orElse(colour);
        }
        if (random.nextInt(100) < 12) {
            colour = Colour.values()[random.nextInt(Colour.values().length)];
        }
        Colour counted = colour;
        Predicate<Item> match = ofColour(counted);
        return askCount(Kind.COUNT_COLOUR, spelled(counted) + " " + things(match), count(match));
    }

    private Optional<Question> countAll() {
        return askCount(Kind.COUNT_ALL, things(item -> true), items.size());
    }

    private Optional<Question> askCount(Kind kind, String things, int count) {
        return ask(
                kind,
                String.valueOf(count),
                "how many " + things + " are {there|there " + HERE + "|" + HERE + "|shown}",
                "how many " + things + " {can|do} you see",
                "how many " + things + " does the " + PICTURE + " {show|contain|have}",
                "count the " + things + ".",
                "what is the number of " + things,
                "{tell me|say} how many " + things + " there are.",
                "how many " + things + " {can you count|can you find|do you count}",
                "give the number of " + things + " " + HERE + ".",
                "how many " + things + " {are there in all|in total|altogether|do we have}",
                "{the |}number of " + things,
                "how many " + things);
    }

    private Optional<Question> where() {
        Optional<Item> item = any(candidate -> Place.isClear(scene, candidate)
                && !references(candidate, Hidden.PLACE).isEmpty());
        return item.flatMap(known -> {
            String it = reference(known, Hidden.PLACE);
            return ask(
                    Kind.WHERE,
                    Place.cell(scene, known),
                    "where is " + it,
                    "where is " + it + " " + HERE,
                    "where can {I|you|we} {find|see} " + it,
                    "{in|at} {what|which} {place|position} is " + it,
                    "{what|which} part of the " + PICTURE + " {holds|contains|shows} " + it,
                    "in {what|which} {part|area} of the " + PICTURE + " is " + it,
                    "{tell me|say} where " + it + " is.",
                    "what is the {position|place|location} of " + it,
                    "where {do|can} you see " + it,
                    "where is " + it + " {located|placed|drawn}",
                    "{what|which} {place|position} does " + it + " have",
                    "{the |}{position|place|location} of " + it,
                    "{find|locate} " + it + ".");
        });
    }

    private Optional<Question> relation() {
        if (random.nextInt(4) == 0) {
            Optional<Question> neighbour = neighbour();
            if (neighbour.isPresent()) {
                return neighbour;
            }
        }
        return pair((one, two) -> !side(one, two).isEmpty()).flatMap(pair -> {
            String side = side(pair[0], pair[1]);
            String one = reference(pair[0], Hidden.PLACE);
            String two = reference(pair[1], Hidden.PLACE);
            boolean across = side.equals("left") || side.equals("right");
            String either = across
                    ? "is " + one + " {left or right of|to the left or {to the |}right of} " + two
                    : "is " + one + " {above or below|over or under} " + two;
            return ask(
                    Kind.RELATION,
                    side,
                    "where is " + one + " {relative to|compared to|seen from|with respect to} " + two,
                    "on {what|which} side of " + two + " is " + one,
                    either,
                    either + " " + HERE,
                    "where is " + one + ", seen from " + two,
                    "{tell me|say} where " + one + " is {relative to|seen from|compared to} " + two + ".",
                    "{what|which} side of " + two + " is " + one + " on",
                    "in {what|which} direction from " + two + " is " + one,
                    "{relative to|seen from|compared to} " + two + ", where is " + one);
        });
    }

    /** What is on one side of an item, where there is one thing and no other comes near. */
    private Optional<Question> neighbour() {
        return pair((one, two) -> !side(one, two).isEmpty()
                        && items.stream()
                                .allMatch(
                                        other -> other == one || other == two || isBeyond(two, other, side(one, two))))
                .flatMap(pair -> {
                    String two = reference(pair[1], Hidden.PLACE);
                    String there = switch (side(pair[0], pair[1])) {
                                case "left" -> "{left of|to the left of|on the left of}";
                                case "right" -> "{right of|to the right of|on the right of}";
                                case "above" -> "{above|over}";
                                default -> "{below|under}";
                            }
                            + " " + two;
                    return ask(
                            Kind.RELATION,
                            a(pair[0].name()),
                            "what is " + there,
                            "{what|which} " + THING + " is " + there,
                            "what {can|do} you see " + there,
                            "what is {shown|drawn|there} " + there,
                            "{tell me|say|name} what is " + there + ".",
                            there + ", what {is there|can you see}",
                            "what is there " + there,
                            "what is " + there + " " + HERE);
                });
    }

    /** Whether an item is clearly on the other side of one than the side named. */
    private static boolean isBeyond(Item one, Item other, String side) {
        return switch (side) {
            case "left" -> other.x() > one.x() + APART / 4;
            case "right" -> other.x() < one.x() - APART / 4;
            case "above" -> other.y() > one.y() + APART / 4;
            default -> other.y() < one.y() - APART / 4;
        };
    }

    private Optional<Question> relationCheck() {
        return pair((one, two) -> apart(one.x(), two.x()) || apart(one.y(), two.y()))
                .flatMap(pair -> {
                    boolean across = apart(pair[0].x(), pair[1].x())
                            && (!apart(pair[0].y(), pair[1].y()) || random.nextBoolean());
                    boolean first = across ? pair[0].x() < pair[1].x() : pair[0].y() < pair[1].y();
                    boolean yes = random.nextBoolean();
                    String one = reference(pair[0], Hidden.PLACE);
                    String two = reference(pair[1], Hidden.PLACE);
                    String side = across
                            ? first == yes
                                    ? "{left of|to the left of|on the left of}"
                                    : "{right of|to the right of|on the right of}"
                            : first == yes ? "{above|over|higher than}" : "{below|under|lower than}";
                    return ask(
                            Kind.RELATION_CHECK,
                            yes ? "yes" : "no",
                            "is " + one + " " + side + " " + two,
                            "is " + one + " " + side + " " + two + " " + HERE,
                            one + " is " + side + " " + two + ", {right|isn't it|is that true|yes or no|true or not}",
                            "{can|could} you tell me {if|whether} " + one + " is " + side + " " + two,
                            "is it {true|right|correct} that " + one + " is " + side + " " + two,
                            "{do|can} you see " + one + " " + side + " " + two,
                            "yes or no: is " + one + " " + side + " " + two,
                            "{tell me|say} {if|whether} " + one + " is " + side + " " + two + ".",
                            HERE + ", is " + one + " " + side + " " + two);
                });
    }

    private Optional<Question> exists() {
        if (random.nextInt(4) == 0) {
            Optional<Question> check = check();
            if (check.isPresent()) {
                return check;
            }
        }
        boolean yes = random.nextBoolean();
        if (!yes && random.nextInt(6) == 0) {
            String[] strange = STRANGE[random.nextInt(STRANGE.length)];
            return random.nextInt(3) == 0 ? askAny(strange[1], false) : askExists(a(strange[0]), false);
        }
        for (int attempt = 0; attempt < 50; attempt++) {
            Item item = pick(items);
            Looks there = new Looks(item.figure(), item.character(), item.colour());
            Looks looks = yes ? there : nearMiss(there);
            if (random.nextInt(8) == 0) {
                Predicate<Item> match = ofFigure(looks.figure());
                boolean coloured = random.nextBoolean();
                if (count(coloured ? match.and(ofColour(looks.colour())) : match) > 0 == yes) {
                    return askAny((coloured ? spelled(looks.colour()) + " " : "") + plural(looks.figure()), yes);
                }
            }
            Sought sought = sought(looks);
            if (count(sought.match()) > 0 == yes) {
                return askExists(sought.name(), yes);
            }
        }
        return Optional.empty();
    }

    private Optional<Question> askExists(String name, boolean yes) {
        return ask(
                Kind.EXISTS,
                yes ? "yes" : "no",
                "is there " + name,
                "is there " + name + " " + HERE,
                "{do|can} you see " + name,
                "does the " + PICTURE + " {show|contain|have|include} " + name,
                "{can|could} you tell me {if|whether} there is " + name,
                "{do|can} you {see|find} " + name + " " + HERE,
                "is it {true|right|correct} that there is " + name,
                "yes or no: is there " + name,
                "{tell me|say} {if|whether} there is " + name + ".",
                "is " + name + " {shown|there|" + HERE + "}");
    }

    /** Whether there is at least one of these. */
    private Optional<Question> askAny(String things, boolean yes) {
        return ask(
                Kind.EXISTS,
                yes ? "yes" : "no",
                "are there {any |}" + things,
                "are there {any |}" + things + " " + HERE,
                "{do|can} you see any " + things,
                "does the " + PICTURE + " {show|contain|have} any " + things,
                "{tell me|say} {if|whether} there are any " + things + ".");
    }

    /** What an item is, wherever it is. */
    private record Looks(Figure figure, char character, Colour colour) {}

    /** Something that may be there, and what counts as it. */
    private record Sought(String name, Predicate<Item> match) {}

    /** Another item's colour or figure, or one of them changed. */
    private Looks nearMiss(Looks looks) {
        Figure figure = looks.figure();
        char character = looks.character();
        Colour colour = looks.colour();
        Item other = random.nextInt(3) == 0 ? Scene.item(List.of(), random) : pick(items);
        if (random.nextBoolean()) {
            colour = other.colour();
        }
        if (random.nextBoolean()) {
            figure = other.figure();
            character = other.character();
        }
        int change = random.nextInt(4);
        if (change == 0) {
            colour = Colour.values()[random.nextInt(Colour.values().length)];
        } else if (change == 1) {
            Item strange = Scene.item(List.of(), random);
            figure = strange.figure();
            character = strange.character();
        }
        return new Looks(figure, character, colour);
    }

    private Sought sought(Looks looks) {
        Figure figure = looks.figure();
        char character = looks.character();
        Colour colour = looks.colour();
        boolean generic = character == 0 || random.nextInt(3) == 0;
        String noun = generic ? called(figure) : figure.word() + " " + character;
        Predicate<Item> match = generic ? ofFigure(figure) : ofCharacter(character);
        Predicate<Item> ofColour = candidate -> candidate.colour() == colour;
        return switch (random.nextInt(6)) {
            case 0, 1 -> new Sought(a(noun), match);
            case 2 ->
                random.nextBoolean()
                        ? new Sought("{anything|something} " + spelled(colour), ofColour)
                        : new Sought(a(spelled(colour) + " " + THING), ofColour);
            default -> new Sought(a(spelled(colour) + " " + noun), match.and(ofColour));
        };
    }

    /** Whether a certain item has a colour, or is of a figure. */
    private Optional<Question> check() {
        boolean colour = random.nextBoolean();
        Hidden hidden = colour ? Hidden.COLOUR : Hidden.FIGURE;
        Optional<Item> item = any(candidate -> !references(candidate, hidden).isEmpty());
        if (item.isEmpty()) {
            return Optional.empty();
        }
        boolean yes = random.nextBoolean();
        Item known = item.get();
        Item claimed = known;
        while (!yes
                && (colour ? claimed.colour() == known.colour() : claimed.noun().equals(known.noun()))) {
            claimed = random.nextBoolean() ? pick(items) : Scene.item(List.of(), random);
        }
        String it = reference(known, hidden);
        String claim = colour
                ? spelled(claimed.colour())
                : a(claimed.figure().isCharacter() ? claimed.noun() : called(claimed.figure()));
        return ask(
                Kind.EXISTS,
                yes ? "yes" : "no",
                "is " + it + " " + claim,
                "is " + it + " " + claim + " " + HERE,
                "{can|could} you tell me {if|whether} " + it + " is " + claim,
                "is it {true|right|correct} that " + it + " is " + claim,
                "yes or no: is " + it + " " + claim,
                "{tell me|say} {if|whether} " + it + " is " + claim + ".",
                it + " is " + claim + ", {right|isn't it|is that true|yes or no}",
                HERE + ", is " + it + " " + claim);
    }

    private Optional<Question> size() {
        int kind = random.nextInt(4);
        if (kind == 0) {
            return extreme();
        }
        Optional<Item[]> pair = pair((one, two) -> isLarger(one, two) || isLarger(two, one));
        if (pair.isEmpty()) {
            return Optional.empty();
        }
        Item first = pair.get()[0];
        Item second = pair.get()[1];
        boolean larger = random.nextBoolean();
        boolean firstWins = isLarger(first, second) == larger;
        String more = larger ? "{larger|bigger}" : "smaller";
        String one = reference(first, Hidden.SIZE);
        String two = reference(second, Hidden.SIZE);
        if (kind == 1) {
            return ask(
                    Kind.SIZE,
                    firstWins ? "yes" : "no",
                    "is " + one + " " + more + " than " + two,
                    "is " + one + " " + more + " than " + two + " " + HERE,
                    "{can|could} you tell me {if|whether} " + one + " is " + more + " than " + two,
                    "is it {true|right|correct} that " + one + " is " + more + " than " + two,
                    "yes or no: is " + one + " " + more + " than " + two,
                    "{tell me|say} {if|whether} " + one + " is " + more + " than " + two + ".",
                    HERE + ", is " + one + " " + more + " than " + two,
                    one + " is " + more + " than " + two + ", {right|isn't it|is that true|yes or no}");
        }
        Item winner = firstWins ? first : second;
        if (count(item -> item.name().equals(winner.name())) > 1) {
            return Optional.empty();
        }
        return ask(
                Kind.SIZE,
                "the " + winner.name(),
                "{which|what} is " + more + ", " + one + " or " + two,
                "{which|what} is " + more + ": " + one + " or " + two,
                "which {one|of them|of the two} is " + more + ", " + one + " or " + two,
                "which " + THING + " is " + more + ", " + one + " or " + two,
                "{tell me|say} which is " + more + ", " + one + " or " + two + ".",
                one + " or " + two + ", which {one |}is " + more,
                "of " + one + " and " + two + ", which {one |}is " + more,
                "what is " + more + " " + HERE + ", " + one + " or " + two,
                "compare " + one + " and " + two + ". {Which|Which one} is " + more);
    }

    private Optional<Question> extreme() {
        boolean largest = random.nextBoolean();
        Optional<Item> item = any(candidate -> items.size() > 1
                && count(other -> other.name().equals(candidate.name())) == 1
                && items.stream()
                        .allMatch(other -> other == candidate
                                || (largest ? isLarger(candidate, other) : isLarger(other, candidate))));
        String most = largest ? "{largest|biggest}" : "smallest";
        if (items.size() == 2 && random.nextBoolean()) {
            most = largest ? "{larger|bigger}" : "smaller";
        }
        String wanted = most;
        return item.flatMap(known -> ask(
                Kind.SIZE,
                "the " + known.name(),
                "{what|which} is the " + wanted + " " + THING,
                "{what|which} is the " + wanted + " " + THING + " " + HERE,
                "which " + THING + " is {the |}" + wanted,
                "{tell me|say|name} {what|which} is the " + wanted + " " + THING + ".",
                "what is {the |}" + wanted + " " + HERE,
                "which {one|of them|of the things} is {the |}" + wanted,
                "find the " + wanted + " " + THING + ".",
                "{can|could} you tell me which " + THING + " is the " + wanted));
    }

    private Optional<Question> character() {
        Optional<Item> item = any(candidate -> candidate.figure().isCharacter());
        if (item.isEmpty()) {
            return Optional.empty();
        }
        Item known = item.get();
        String what = known.figure() == Figure.LETTER ? "letter" : "{digit|number}";
        String answer = String.valueOf(known.character());
        if (count(ofFigure(known.figure())) == 1 && random.nextBoolean()) {
            return ask(
                    Kind.CHARACTER,
                    answer,
                    "{what|which} " + what + " is {this|shown|shown here|it|" + HERE + "}",
                    "{what|which} " + what + " {can|do} you see",
                    "{what|which} " + what + " does the " + PICTURE + " {show|contain}",
                    "{read|name|tell me} the " + what + " " + HERE + ".",
                    "what is the " + what,
                    "{what|which} " + what + " is {there|written|drawn|printed}",
                    "{can|could} you {read|tell me} the " + what,
                    "there is a " + what + " " + HERE + ". {Which|Which one|Which is it}");
        }
        List<String> by = new ArrayList<>();
        if (count(ofFigure(known.figure()).and(other -> other.colour() == known.colour())) == 1) {
            by.add(spelled(known.colour()));
        }
        if (count(ofFigure(known.figure()).and(other -> other.size() == known.size())) == 1
                && count(ofFigure(known.figure())) > 1) {
            by.add(known.size().word());
        }
        by.addAll(Place.onlyAt(scene, known).stream().map(this::placed).collect(Collectors.toList()));
        if (by.isEmpty()) {
            return Optional.empty();
        }
        String it = pick(by);
        boolean adjective = !it.contains(" ");
        String named = adjective ? "the " + it + " " + what : "the " + what + " " + it;
        return ask(
                Kind.CHARACTER,
                answer,
                "{what|which} " + what + " is " + it,
                "{what|which} " + what + " is " + named,
                "{read|name|tell me|say} " + named + ".",
                "what is " + named,
                "what does " + named + " say",
                "{what|which} is " + named,
                "{can|could} you {read|tell me} " + named,
                "{what|which} " + what + " {is|can you see as} " + named);
    }

    private Optional<Question> describe() {
        if (items.size() > 1 && random.nextInt(3) == 0) { // of a single item these ask what it is
            return ask(
                    Kind.DESCRIBE,
                    describe(scene),
                    "what is {shown |}{in|on} {the|this} " + PICTURE,
                    "what {can|do} you see " + HERE,
                    "what {can|do} you see",
                    "what does {the|this} " + PICTURE + " {show|contain}",
                    "{tell me|say} what is " + HERE + ".",
                    "which {things|objects|items} are {shown|there|" + HERE + "}",
                    "what is {shown|drawn|pictured} {here|there|" + HERE + "}",
                    "what {is there|are we looking at}",
                    "what is this {a PICTURE of|}".replace("PICTURE", PICTURE));
        }
        return ask(
                Kind.DESCRIBE,
                describe(scene),
                "describe the " + PICTURE + ".",
                "describe this " + PICTURE + ".",
                "describe the " + PICTURE + " {in full|in one sentence|completely|in detail}.",
                "what {can|do} you see {in all|all in all|altogether}",
                "describe {everything|all} {you {can |}see|" + HERE + "}.",
                "{list|name} {everything|all {the |}things|all objects} " + HERE + ".",
                "give {me |}a {full |}description {of the " + PICTURE + "|}.",
                "what does the whole " + PICTURE + " {show|look like}",
                "{tell me|say} what the whole " + PICTURE + " shows.",
                "{can|could} you describe {the|this} " + PICTURE,
                "{explain|summarize} {the|this} " + PICTURE + ".",
                "tell me {about|more about|everything about} {the|this} " + PICTURE + ".",
                "describe {it|what you see|what is shown}.");
    }

    /** What a reference must not give away. */
    private enum Hidden {
        COLOUR,
        FIGURE,
        PLACE,
        SIZE
    }

    private String reference(Item item, Hidden hidden) {
        return pick(references(item, hidden));
    }

    /** Names that mean this item and no other: by what it is and its colour; by its size or its place less often. */
    private List<String> references(Item item, Hidden hidden) {
        List<String> usual = new ArrayList<>();
        List<String> rare = new ArrayList<>();
        Predicate<Item> sameColour = other -> other.colour() == item.colour();
        Predicate<Item> sameSize = other -> other.size() == item.size();
        Predicate<Item> sameNoun = other -> other.noun().equals(item.noun());
        Predicate<Item> sameFigure = ofFigure(item.figure());
        String colour = hidden == Hidden.COLOUR ? "" : spelled(item.colour()) + " ";
        Predicate<Item> coloured = hidden == Hidden.COLOUR ? other -> true : sameColour;
        String size = item.size().word() + " ";
        String thing = item.figure().isCharacter() ? THING : "{thing|object|item|shape|figure}";
        if (hidden != Hidden.FIGURE) {
            String noun = item.figure().isCharacter() ? item.noun() : called(item.figure());
            addIf(sameNoun, "the " + noun, usual);
            addIf(sameFigure, "the " + called(item.figure()), usual);
            addIf(sameNoun.and(coloured), "the " + colour + noun, usual);
            addIf(sameFigure.and(coloured), "the " + colour + called(item.figure()), usual);
            if (hidden != Hidden.SIZE) {
                addIf(sameNoun.and(sameSize), "the " + size + noun, rare);
                addIf(sameNoun.and(sameSize).and(coloured), "the " + size + colour + noun, rare);
            }
        }
        if (hidden != Hidden.COLOUR) {
            addIf(sameColour, "the " + colour + thing, usual);
        }
        if (hidden != Hidden.SIZE && items.size() > 1) {
            addIf(sameSize, "the " + size + thing, rare);
            addIf(sameSize.and(coloured), "the " + size + colour + thing, rare);
        }
        if (hidden == Hidden.COLOUR || hidden == Hidden.FIGURE) {
            Place.onlyAt(scene, item).forEach(place -> rare.add("the " + thing + " " + placed(place)));
        }
        if (items.size() == 1 && hidden != Hidden.SIZE) {
            usual.add("{it|this|the " + thing + "|this " + thing + "}");
        }
        return usual.isEmpty() || !rare.isEmpty() && random.nextInt(4) == 0 ? rare : usual;
    }

    private void addIf(Predicate<Item> match, String name, List<String> names) {
        if (count(match) == 1) {
            names.add(name);
        }
    }

    /** Where one item is seen from another; empty unless one direction clearly prevails. */
    private static String side(Item one, Item two) {
        double dx = one.x() - two.x();
        double dy = one.y() - two.y();
        if (Math.abs(dx) >= APART && Math.abs(dx) >= 2 * Math.abs(dy)) {
            return dx < 0 ? "left" : "right";
        }
        if (Math.abs(dy) >= APART && Math.abs(dy) >= 2 * Math.abs(dx)) {
            return dy < 0 ? "above" : "below";
        }
        return "";
    }

    private static boolean apart(double one, double two) {
        return Math.abs(one - two) >= APART;
    }

    /** Whether one item is larger beyond doubt: of a larger size, and its box is too. */
    private static boolean isLarger(Item one, Item two) {
        Rectangle2D box = one.box();
        Rectangle2D other = two.box();
        return one.size().compareTo(two.size()) > 0
                && box.getWidth() * box.getHeight() > 1.3 * other.getWidth() * other.getHeight();
    }

    private String story() {
        List<Item> order = shuffled(items);
        StringBuilder story = new StringBuilder();
        int kind = random.nextInt(10);
        if (kind < 3) {
            story.append(describe(scene));
        } else if (kind < 6) {
            String intro = pick(List.of(
                    "the " + PICTURE + " {shows|contains|has}",
                    "{I|we|you} {can |}see",
                    "there is",
                    "{this|the} " + PICTURE + " of " + NUMBERS[items.size()] + " {things|objects|items} shows"));
            List<String> parts = order.stream()
                    .map(item -> a(told(item)) + " " + placed(Place.cell(scene, item)))
                    .collect(Collectors.toList());
            story.append(sentence(intro + " " + listed(parts) + "."));
        } else {
            if (random.nextBoolean()) {
                boolean one = items.size() == 1;
                story.append(sentence("there " + (one ? "is " : "are ") + NUMBERS[items.size()] + " "
                        + (one ? THING : "{things|objects|items}") + "{ " + HERE + "|}."));
            }
            for (Item item : order) {
                String there = placed(Place.cell(scene, item));
                String text = pick(List.of(
                        "there is " + a(told(item)) + " " + there + ".",
                        a(told(item)) + " is " + there + ".",
                        there + " {there is|is|you {can |}see|I {can |}see} " + a(told(item)) + ".",
                        "the " + THING + " " + there + " is " + a(told(item)) + ".",
                        "{I|you} {can |}see " + a(told(item)) + " " + there + ".",
                        a(spelled(item.colour()) + " " + item.noun()) + " is " + there + "{,| and} it is "
                                + item.size().word() + "."));
                story.append(story.length() == 0 ? "" : " ").append(sentence(text));
            }
        }
        if (random.nextInt(10) < 6) {
            for (int i = random.nextInt(3); i >= 0; i--) {
                fact().ifPresent(fact -> story.append(' ').append(sentence(fact)));
            }
        }
        return story.toString();
    }

    /** How two items lie or which is larger, which places alone do not tell. */
    private Optional<String> fact() {
        if (random.nextInt(4) == 0) {
            return pair(Wording::isLarger)
                    .map(pair -> reference(pair[0], Hidden.SIZE) + " is {larger|bigger} than "
                            + reference(pair[1], Hidden.SIZE) + ".");
        }
        return pair((one, two) -> !side(one, two).isEmpty()).map(pair -> {
            String side = side(pair[0], pair[1]);
            String words = switch (side) {
                case "left", "right" -> "{" + side + " of|to the " + side + " of}";
                case "above" -> "{above|over}";
                default -> "{below|under}";
            };
            return reference(pair[0], Hidden.PLACE) + " is " + words + " " + reference(pair[1], Hidden.PLACE) + ".";
        });
    }

    private String told(Item item) {
        String noun = item.figure().isCharacter() ? item.noun() : called(item.figure());
        return item.size().word() + " " + spelled(item.colour()) + " " + noun;
    }

    /** A place in words that users choose. */
    private String placed(String place) {
        return switch (place) {
            case "middle" -> "{in the middle|in the center|in the centre|at the center}";
            case "left", "right" -> "{on the " + place + "|on the " + place + " side|at the " + place + "}";
            case "top", "bottom" -> "at the " + place;
            default -> "{at|in} the " + place + "{| corner}";
        };
    }

    /** A figure's name, now and then another one that people use. */
    private String called(Figure figure) {
        List<String> synonyms = figure.synonyms();
        return synonyms.isEmpty() || random.nextInt(100) >= 12 ? figure.word() : pick(synonyms);
    }

    private String plural(Figure figure) {
        String name = called(figure);
        return switch (name) {
            case "cross", "plus" -> "crosses";
            case "rhombus" -> "diamonds";
            default -> name + "s";
        };
    }

    private String spelled(Colour colour) {
        return colour == Colour.GRAY ? "{gray|grey}" : colour.word();
    }

    /** "Shapes" only where no letter or digit makes one wonder whether it counts. */
    private String things(Predicate<Item> match) {
        boolean shapes =
                items.stream().filter(match).noneMatch(item -> item.figure().isCharacter());
        return shapes ? "{things|objects|items|shapes|figures}" : "{things|objects|items}";
    }

    private static Predicate<Item> ofFigure(Figure figure) {
        return item -> item.figure() == figure;
    }

    private static Predicate<Item> ofColour(Colour colour) {
        return item -> item.colour() == colour;
    }

    private static Predicate<Item> ofCharacter(char character) {
        return item -> item.character() == character;
    }

    private int count(Predicate<Item> match) {
        return (int) items.stream().filter(match).count();
    }

    private Optional<Item> any(Predicate<Item> match) {
        return shuffled(items).stream().filter(match).findFirst();
    }

    private interface PairTest {
        boolean test(Item one, Item two);
    }

    /** Two items that pass, each of which can be named without its place or size. */
    private Optional<Item[]> pair(PairTest test) {
        for (Item one : shuffled(items)) {
            for (Item two : shuffled(items)) {
                if (one != two && test.test(one, two) && isNamed(one) && isNamed(two)) {
                    return Optional.of(new Item[] {one, two});
                }
            }
        }
        return Optional.empty();
    }

    private boolean isNamed(Item item) {
        return count(other -> other.name().equals(item.name())) == 1;
    }

    private Optional<Question> ask(Kind kind, String answer, String... wordings) {
        String text = wordings[random.nextInt(wordings.length)];
        boolean statement = text.endsWith(".");
        if (statement) {
            text = text.substring(0, text.length() - 1);
        }
        switch (random.nextInt(12)) {
            case 0 -> text = statement ? "please " + text : text + ", please";
            case 1 -> text = statement ? text + ", please" : "please tell me: " + text;
            case 2 -> text = "{hey|ok|so|now}, " + text;
            default -> {
                // As it is.
            }
        }
        text = expanded(text);
        if (random.nextInt(8) == 0) {
            text = text.replaceFirst("\\b(what|where) is\\b", "$1's");
        }
        if (random.nextInt(8) > 0) {
            text = capital(text);
        }
        if (random.nextInt(8) > 0) {
            text += statement ? "." : "?";
        }
        return Optional.of(new Question(kind, text, answer));
    }

    private String sentence(String text) {
        return capital(expanded(text));
    }

    /** Chooses one of every {a|b|c}, from the inside out. */
    private String expanded(String text) {
        StringBuilder result = new StringBuilder(text);
        for (int close = result.indexOf("}"); close >= 0; close = result.indexOf("}")) {
            int open = result.lastIndexOf("{", close);
            String[] choices = result.substring(open + 1, close).split("\\|", -1);
            result.replace(open, close + 1, choices[random.nextInt(choices.length)]);
        }
        return result.toString()
                .replace("  ", " ")
                .replace(" ,", ",")
                .replace(" .", ".")
                .strip();
    }

    private static String capital(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }

    /** With its article. */
    static String a(String name) {
        return ("oae".indexOf(name.charAt(0)) >= 0 ? "an " : "a ") + name;
    }

    private static String listed(List<String> parts) {
        return parts.size() == 1
                ? parts.get(0)
                : String.join(", ", parts.subList(0, parts.size() - 1)) + " and " + parts.get(parts.size() - 1);
    }

    private <T> T pick(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    private <T> List<T> shuffled(List<T> list) {
        List<T> shuffled = new ArrayList<>(list);
        for (int i = shuffled.size() - 1; i > 0; i--) {
            Collections.swap(shuffled, i, random.nextInt(i + 1));
        }
        return shuffled;
    }
}
