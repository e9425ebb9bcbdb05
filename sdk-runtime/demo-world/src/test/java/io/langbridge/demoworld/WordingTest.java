package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.demoworld.Question.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Reads the questions as a person would, without the code that wrote them, and answers them from the scene. */
class WordingTest {
    private interface Check {
        void check(Scene scene, Question question);
    }

    /** Some of what is in no picture, which is asked about all the same. */
    private static final List<String> STRANGE = List.of(
            ("cat cats dog dogs person people man men woman women child children bird birds fish horse horses animal animals"
                            + " car cars bus buses boat boats house houses building buildings tree trees flower flowers"
                            + " apple apples chair chairs table tables bottle bottles phone phones face faces hand hands")
                    .split(" "));

    private static final List<Scene> SCENES = new ArrayList<>();
    private static final List<List<Question>> QUESTIONS = new ArrayList<>();

    @BeforeAll
    static void ask() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 2000; i++) {
            Scene scene = Scene.ofAnyShape(random);
            SCENES.add(scene);
            QUESTIONS.add(Wording.questions(scene, random, 6));
        }
    }

    private static void forAll(Check check) {
        for (int i = 0; i < SCENES.size(); i++) {
            Scene scene = SCENES.get(i);
            QUESTIONS.get(i).forEach(question -> check.check(scene, question));
        }
    }

    @Test
    void theSameSeedAsksTheSame() {
        Scene scene = Scene.random(new SplittableRandom(1));
        List<Question> questions = Wording.questions(scene, new SplittableRandom(2), 8);
        assertEquals(questions, Wording.questions(scene, new SplittableRandom(2), 8));
        assertEquals(
                questions.size(),
                questions.stream().map(Question::text).distinct().count());
        assertEquals(Wording.story(scene, new SplittableRandom(3)), Wording.story(scene, new SplittableRandom(3)));
    }

    /** Otherwise a model could read from it what it is to see; alone, since it is asked alone too. */
    @Test
    void lessonsEndWithTheOnlyDescription() {
        SplittableRandom random = new SplittableRandom(8);
        int alone = 0;
        for (Scene scene : SCENES.subList(0, 300)) {
            List<Question> lessons = Wording.lessons(scene, random, 8);
            int last = lessons.size() - 1;
            for (int i = 0; i <= last; i++) {
                assertEquals(i == last, lessons.get(i).kind() == Kind.DESCRIBE, lessons.toString());
            }
            alone += last == 0 ? 1 : 0;
            assertTrue(last == 0 || last == 7, lessons.toString());
        }
        assertTrue(alone > 70 && alone < 130, alone + " of 300 are descriptions alone");
    }

    @Test
    void everyKindIsAskedInManyWays() {
        Map<Kind, Set<String>> forms = new EnumMap<>(Kind.class);
        forAll((scene, question) -> {
            assertFalse(question.text().matches(".*([{}|]|  | [,.?]).*"), question::text);
            assertFalse(question.text().matches(".*\\ba (orange|oval|ellipse|arrow|item|object)\\b.*"), question::text);
            String form = words(question.text()).stream()
                    .filter(word -> !isNamed(word))
                    .collect(Collectors.joining(" "));
            forms.computeIfAbsent(question.kind(), kind -> new HashSet<>()).add(form);
        });
        for (Kind kind : Kind.values()) {
            assertTrue(
                    forms.get(kind).size() >= 30,
                    kind + " has " + forms.get(kind).size() + " wordings");
        }
    }

    @Test
    void answersAboutOneItemAreTrueOfTheOneItemMeant() {
        forAll((scene, question) -> {
            Predicate<Item> meant = item -> true;
            switch (question.kind()) {
                case COLOUR, FIGURE, CHARACTER -> meant = meant(question.text()).and(at(scene, question.text()));
                case WHERE -> meant = meant(question.text());
                case AT -> meant = at(scene, question.text());
                case WHAT -> assertEquals(1, scene.items().size());
                default -> {
                    return;
                }
            }
            List<Item> items = scene.items().stream().filter(meant).collect(Collectors.toList());
            if (question.kind() == Kind.AT && question.answer().equals("nothing")) {
                assertTrue(items.isEmpty(), () -> question + " of " + Wording.describe(scene));
                return;
            }
            assertEquals(1, items.size(), () -> question + " of " + Wording.describe(scene));
            Item item = items.get(0);
            String expected = switch (question.kind()) {
                case COLOUR -> item.colour().word();
                case FIGURE -> item.noun();
                case CHARACTER -> String.valueOf(item.character());
                case WHERE -> place(scene, item);
                default ->
                    (item.colour() == Colour.ORANGE ? "an " : "a ")
                            + item.colour().word() + " " + item.noun();
            };
            assertEquals(expected, question.answer(), () -> question + " of " + Wording.describe(scene));
        });
    }

    @Test
    void countsAreRight() {
        int[] byAnswer = new int[6];
        forAll((scene, question) -> {
            if (question.kind().name().startsWith("COUNT")) {
                long count =
                        scene.items().stream().filter(meant(question.text())).count();
                assertEquals(String.valueOf(count), question.answer(), () -> question + " of " + scene);
                byAnswer[(int) count]++;
            }
        });
        for (int count = 0; count <= 4; count++) {
            assertTrue(byAnswer[count] > 30, "too few with " + count);
        }
    }

    @Test
    void yesAndNoAreTrueAndAsFrequent() {
        Map<Kind, int[]> answers = new EnumMap<>(Kind.class);
        forAll((scene, question) -> {
            boolean yes = question.answer().equals("yes");
            if (yes || question.answer().equals("no")) {
                answers.computeIfAbsent(question.kind(), kind -> new int[2])[yes ? 1 : 0]++;
                if (question.kind() == Kind.EXISTS) {
                    boolean any = scene.items().stream()
                            .anyMatch(meant(question.text()).and(at(scene, question.text())));
                    assertEquals(any, yes, () -> question + " of " + Wording.describe(scene));
                }
            }
        });
        assertEquals(Set.of(Kind.EXISTS, Kind.RELATION_CHECK, Kind.SIZE), answers.keySet());
        answers.forEach((kind, counts) -> {
            int all = counts[0] + counts[1];
            double deviations = Math.abs(counts[1] - counts[0]) / Math.sqrt(all); // of a fair coin
            assertTrue(all > 100 && deviations < 4, kind + ": " + Arrays.toString(counts));
        });
    }

    @Test
    void relationsAndSizesAreTrueOfTheTwoItemsMeant() {
        forAll((scene, question) -> {
            if (!Set.of(Kind.RELATION, Kind.RELATION_CHECK, Kind.SIZE).contains(question.kind())) {
                return;
            }
            List<Item> two = mentioned(scene, question);
            if (two.size() != 2) { // "the largest thing", "what is above the circle": one or none is named
                assertTrue(question.kind() != Kind.RELATION_CHECK, question::text);
                return;
            }
            Item one = two.get(0);
            Item other = two.get(1);
            String text = question.text().toLowerCase(Locale.ROOT);
            String answer = question.answer();
            boolean otherFirst =
                    text.matches("(please tell me: |(hey|ok|so|now), )?((relative|compared) to|seen from).*"
                            + "|.*(side of|direction from) .* is .*");
            switch (question.kind()) {
                case RELATION -> {
                    double dx = (one.x() - other.x()) * (otherFirst ? -1 : 1);
                    double dy = (one.y() - other.y()) * (otherFirst ? -1 : 1);
                    String side = Math.abs(dx) > Math.abs(dy) ? dx < 0 ? "left" : "right" : dy < 0 ? "above" : "below";
                    assertEquals(side, answer, () -> question + " of " + Wording.describe(scene));
                }
                case RELATION_CHECK -> {
                    String side = text.replaceAll("is it right|, right\\b", "");
                    boolean is = side.contains("left")
                            ? one.x() < other.x()
                            : side.contains("right")
                                    ? one.x() > other.x()
                                    : side.matches(".*(above|over|higher).*")
                                            ? one.y() < other.y()
                                            : one.y() > other.y();
                    assertEquals(is ? "yes" : "no", answer, () -> question + " of " + Wording.describe(scene));
                }
                default -> {
                    boolean larger = one.diameter() > other.diameter() == !text.contains("smaller");
                    String winner = "the " + (larger ? one : other).name();
                    assertEquals(
                            answer.startsWith("the") ? winner : larger ? "yes" : "no",
                            answer,
                            () -> question + " of " + Wording.describe(scene));
                }
            }
        });
    }

    @Test
    void descriptionsAndStoriesNameEverything() {
        SplittableRandom random = new SplittableRandom(6);
        for (int i = 0; i < 500; i++) {
            Scene scene = Scene.random(random);
            String description = Wording.describe(scene);
            Question question = new Question(Kind.DESCRIBE, "", description);
            assertTrue(Evaluation.isRight(question, description));
            assertFalse(Evaluation.isRight(question, description.replaceFirst("small|medium|large", "huge")));
            assertTrue(description.split(" ").length <= 12 * scene.items().size() + 2, description);
            String story = Wording.story(scene, random).replace("grey", "gray");
            for (Item item : scene.items()) {
                assertTrue(description.contains(item.fullName()), description);
                assertTrue(
                        story.contains(item.colour().word())
                                && story.contains(item.size().word()),
                        story);
            }
        }
    }

    private static List<String> words(String text) {
        return Arrays.asList(
                text.toLowerCase(Locale.ROOT).replace("grey", "gray").split("[ ,.:?]+"));
    }

    /** Whether a word says which item is meant. */
    private static boolean isNamed(String word) {
        return STRANGE.contains(word)
                || colour(word) != null
                || figure(word) != null
                || size(word) != null
                || word.matches("[b-hj-z0-9]|plus");
    }

    /** The items of which all that the text says of colour, size and figure is true; nothing said, all items. */
    private static Predicate<Item> meant(String text) {
        Predicate<Item> meant = item -> true;
        List<String> words = words(text);
        if (!Collections.disjoint(words, STRANGE)) {
            return item -> false;
        }
        for (int i = 0; i < words.size(); i++) {
            Colour colour = colour(words.get(i));
            Size size = size(words.get(i));
            Figure figure = figure(words.get(i));
            boolean countsThem = words.get(i).equals("number")
                    && i + 1 < words.size()
                    && words.get(i + 1).equals("of");
            if (colour != null) {
                meant = meant.and(item -> item.colour() == colour);
            }
            if (size != null) {
                meant = meant.and(item -> item.size() == size);
            }
            if (figure != null && !countsThem) {
                meant = meant.and(item -> item.figure() == figure);
                if (figure.isCharacter()
                        && i + 1 < words.size()
                        && words.get(i + 1).length() == 1) {
                    char character = Character.toUpperCase(words.get(i + 1).charAt(0));
                    meant = meant.and(item -> item.character() == character);
                }
            }
        }
        return meant;
    }

    /** The items in the place that the text names; no place, all items. */
    private static Predicate<Item> at(Scene scene, String text) {
        Frame frame = scene.frame();
        List<String> words = words(text.replaceAll("[Ii]s it right|, right\\b", ""));
        Predicate<Item> at = item -> true;
        if (words.contains("left")) {
            at = at.and(item -> frame.across(item) < 1 / 3.0);
        }
        if (words.contains("right")) {
            at = at.and(item -> frame.across(item) > 2 / 3.0);
        }
        if (words.contains("top")) {
            at = at.and(item -> frame.down(item) < 1 / 3.0);
        }
        if (words.contains("bottom")) {
            at = at.and(item -> frame.down(item) > 2 / 3.0);
        }
        if (words.contains("middle") || words.contains("center") || words.contains("centre")) {
            at = at.and(item -> place(scene, item).equals("middle"));
        }
        return at;
    }

    /** The single item meant by each "the ..", in order. */
    private static List<Item> mentioned(Scene scene, Question question) {
        List<Item> mentioned = new ArrayList<>();
        for (String part : (question.text() + " ").split("\\b[Tt]he\\b", -1)) {
            if (words(part).stream().anyMatch(WordingTest::isNamed)) {
                List<Item> items = scene.items().stream().filter(meant(part)).collect(Collectors.toList());
                assertEquals(
                        1, items.size(), () -> "the" + part + " in " + question + " of " + Wording.describe(scene));
                mentioned.add(items.get(0));
            }
        }
        return mentioned;
    }

    private static String place(Scene scene, Item item) {
        double x = scene.frame().across(item);
        double y = scene.frame().down(item);
        String row = y < 1 / 3.0 ? "top" : y > 2 / 3.0 ? "bottom" : "";
        String column = x < 1 / 3.0 ? "left" : x > 2 / 3.0 ? "right" : "";
        String place = (row + " " + column).strip();
        return place.isEmpty() ? "middle" : place;
    }

    private static Colour colour(String word) {
        return Arrays.stream(Colour.values())
                .filter(colour -> colour.word().equals(word))
                .findFirst()
                .orElse(null);
    }

    private static Size size(String word) {
        return Arrays.stream(Size.values())
                .filter(size -> size.word().equals(word))
                .findFirst()
                .orElse(null);
    }

    private static Figure figure(String word) {
        return switch (word) {
            case "disc", "disk", "discs", "disks" -> Figure.CIRCLE;
            case "ellipse", "ellipses" -> Figure.OVAL;
            case "rhombus" -> Figure.DIAMOND;
            case "plus", "crosses" -> Figure.CROSS;
            case "donut", "donuts" -> Figure.RING;
            case "moon", "moons" -> Figure.CRESCENT;
            case "number", "numbers" -> Figure.DIGIT;
            default ->
                Arrays.stream(Figure.values())
                        .filter(figure -> word.equals(figure.word()) || word.equals(figure.word() + "s"))
                        .findFirst()
                        .orElse(null);
        };
    }
}
