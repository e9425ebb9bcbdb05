/** Chat templates: Jinja2 as transformers sets it up, run by an interpreter with bounded time, memory and depth. */
@NullMarked
package io.langbridge.runtime.core.text.template;

import org.jspecify.annotations.NullMarked;
