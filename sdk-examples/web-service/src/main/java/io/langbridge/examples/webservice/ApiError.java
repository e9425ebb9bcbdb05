package io.langbridge.examples.webservice;

import com.google.gson.JsonObject;

/** What a caller did wrong or has to bear, in OpenAI's form. */
final class ApiError extends RuntimeException {
    private static final long serialVersionUID = 1;

    final int status;
    private final String type;
    private final String param;

    private ApiError(int status, String type, String param, String message) {
        super(message);
        this.status = status;
        this.type = type;
        this.param = param;
    }

    static ApiError invalid(String param, String message) {
        return new ApiError(400, "invalid_request_error", param, message);
    }

    static ApiError of(int status, String type, String message) {
        return new ApiError(status, type, null, message);
    }

    JsonObject json() {
        JsonObject error = new JsonObject();
        error.addProperty("message", getMessage());
        error.addProperty("type", type);
        error.addProperty("param", param);
        error.addProperty("code", (String) null);
        JsonObject body = new JsonObject();
        body.add("error", error);
        return body;
    }
}
