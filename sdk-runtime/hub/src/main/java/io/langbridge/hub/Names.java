package io.langbridge.hub;

import java.nio.file.InvalidPathException;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which names may become files. Whatever comes from a network or a caller passes here first. */
final class Names {
    private static final Pattern REPOSITORY_PART = Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern DEVICE =
            Pattern.compile("(?:con|prn|aux|nul|conin\\$|conout\\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .].*)?");
    private static final Pattern FOR_WINDOWS = Pattern.compile("[^<>:\"|?*]*[^<>:\"|?*. ]");

    private Names() {}

    /**
     * Checks the name of a model.
     *
     * @throws IllegalArgumentException if it is none
     */
    static String repository(String name) {
        String[] parts = name.split("/", -1);
        boolean fine = parts.length <= 2 && !name.contains("--") && !name.contains("..") && !name.endsWith(".git");
        for (String part : parts) {
            fine &= REPOSITORY_PART.matcher(part).matches();
        }
        if (!fine) {
            throw new IllegalArgumentException("'" + shown(name) + "' is no model of a hub; that is ORG/NAME, with"
                    + " letters, digits, '-', '_' and '.', as the address of its page ends.");
        }
        return name;
    }

    /**
     * Checks the name of a branch, tag or commit, which becomes a file too.
     *
     * @throws IllegalArgumentException if it is none
     */
    static String revision(String name) {
        if (leavesFolder(name) || !fitsEverySystem(name)) {
            throw new IllegalArgumentException("'" + shown(name) + "' is no branch, tag or commit.");
        }
        return name;
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    static boolean isSha256(String text) {
        return SHA256.matcher(text).matches();
    }

    /** Whether a name is also the hash of what it names. */
    static boolean isBlob(String text) {
        return isCommit(text) || isSha256(text);
    }

    /** Whether a relative path could mean something outside the folder it is meant for. */
    static boolean leavesFolder(String path) {
        if (path.isEmpty()
                || path.length() > 1000
                || path.indexOf('\\') >= 0
                || path.codePoints().anyMatch(Names::isControl)) {
            return true;
        }
        for (String segment : path.split("/", -1)) {
            if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
                return true;
            }
        }
        // A drive, on Windows.
        return path.length() > 1 && path.charAt(1) == ':';
    }

    /** Whether a relative path means the same file on every system, Windows with its device names included. */
    static boolean fitsEverySystem(String path) {
        for (String segment : path.split("/", -1)) {
            if (DEVICE.matcher(segment.toLowerCase(Locale.ROOT)).matches()
                    || !FOR_WINDOWS.matcher(segment).matches()) {
                return false;
            }
        }
        return true;
    }

    /** The error for a name that this system's encoding of file names cannot write. */
    static HubException unwritable(String name, InvalidPathException e) {
        return new HubException(
                HubException.Reason.CACHE,
                "'" + shown(name) + "' can be no file here; Java writes file names in "
                        + System.getProperty("sun.jnu.encoding")
                        + ". Start it with LC_ALL=C.UTF-8 or a LANG of UTF-8, or with -Dsun.jnu.encoding=UTF-8.",
                e);
    }

    /** A text from elsewhere as a message can show it: short, on one line. */
    static String shown(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().limit(200).forEach(c -> shown.appendCodePoint(isControl(c) ? '\uFFFD' : c));
        return text.codePointCount(0, text.length()) > 200 ? shown + "..." : shown.toString();
    }

    private static boolean isControl(int c) {
        // Half of a character has no bytes in any encoding.
        boolean half = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
        return half || Character.isISOControl(c) || c == '\u2028' || c == '\u2029' || (c >= '\u202A' && c <= '\u202E');
    }
}
