package io.langbridge.runtime.core.constrain;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What JSON Schema's {@code format} means, as patterns. Those that can be written in several ways are in one. */
final class Formats {
    /** Days as many as the month has, leap years by the rule. */
    private static final String DATE = "(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])"
            + "|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
            + "|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";

    private static final String TIME =
            "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)";

    private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?";

    /** What two-letter codes of countries do not have, or have besides. */
    private static final Set<String> NO_DOMAINS = Set.of("bl", "bq", "eh", "mf", "um");

    private static final String[] MORE_DOMAINS = {
        "academy",
        "agency",
        "app",
        "art",
        "asia",
        "berlin",
        "bio",
        "biz",
        "blog",
        "business",
        "cafe",
        "care",
        "cat",
        "center",
        "church",
        "city",
        "clinic",
        "cloud",
        "club",
        "codes",
        "coffee",
        "com",
        "community",
        "company",
        "coop",
        "dental",
        "design",
        "dev",
        "digital",
        "earth",
        "edu",
        "email",
        "energy",
        "estate",
        "eu",
        "events",
        "expert",
        "farm",
        "fashion",
        "finance",
        "fitness",
        "fun",
        "gallery",
        "global",
        "gmbh",
        "gov",
        "group",
        "health",
        "house",
        "info",
        "ink",
        "int",
        "jobs",
        "kitchen",
        "law",
        "legal",
        "life",
        "live",
        "london",
        "ltd",
        "market",
        "marketing",
        "media",
        "mil",
        "mobi",
        "money",
        "museum",
        "name",
        "net",
        "network",
        "news",
        "ngo",
        "one",
        "online",
        "org",
        "page",
        "photo",
        "photography",
        "photos",
        "pizza",
        "plus",
        "pro",
        "properties",
        "pub",
        "restaurant",
        "rocks",
        "school",
        "science",
        "services",
        "shop",
        "site",
        "social",
        "software",
        "solutions",
        "space",
        "store",
        "studio",
        "support",
        "systems",
        "team",
        "tech",
        "tel",
        "today",
        "tools",
        "top",
        "tours",
        "travel",
        "tv",
        "uk",
        "university",
        "vip",
        "wine",
        "work",
        "works",
        "world",
        "wtf",
        "xyz",
        "yoga",
        "zone"
    };

    /** Only domains of countries and common others: with any letters at all, hardly an address would be one. */
    private static final String EMAIL = "[A-Za-z0-9_+-]{1,30}(\\.[A-Za-z0-9_+-]{1,30})?@(" + LABEL + "\\.){1,3}("
            + String.join("|", domains()) + ")";

    private static final Map<String, String> PATTERNS = Map.of(
            "date", DATE,
            "time", TIME,
            "date-time", DATE + "T" + TIME,
            "uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "email", EMAIL);

    private Formats() {}

    private static Set<String> domains() {
        Set<String> domains = new TreeSet<>();
        for (String country : Locale.getISOCountries()) {
            domains.add(country.toLowerCase(Locale.ROOT));
        }
        domains.removeAll(NO_DOMAINS);
        for (String domain : MORE_DOMAINS) {
            domains.add(domain);
        }
        return domains;
    }

    /** {@return the pattern of a format, or null if there is no such format here} */
    static @Nullable String pattern(String format) {
        return PATTERNS.get(format);
    }

    /** {@return all formats} */
    static Set<String> names() {
        return new TreeSet<>(PATTERNS.keySet());
    }
}
