/** Pictures and pages that show what a model sees, for desktop and server JVMs. */
@NullMarked
package io.langbridge.drawing;

import org.jspecify.annotations.NullMarked;
