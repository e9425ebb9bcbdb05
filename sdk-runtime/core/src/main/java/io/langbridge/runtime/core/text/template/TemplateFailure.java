package io.langbridge.runtime.core.text.template;

/** Something a template did with these messages went wrong; becomes a PromptException that names the line. */
final class TemplateFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateFailure(String message) {
        super(message);
    }
}
