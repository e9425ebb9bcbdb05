package io.langbridge.runtime.core.text.template;

/** What a template did with these messages went wrong; becomes a PromptException that names the place. */
class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Failure(String message) {
        super(message, null, false, false);
    }

    /** Something Jinja2 has and this interpreter has not; becomes an UnsupportedModelException. */
    static final class Unsupported extends Failure {
        private static final long serialVersionUID = 1L;

        Unsupported(String what) {
            super(what);
        }
    }
}
