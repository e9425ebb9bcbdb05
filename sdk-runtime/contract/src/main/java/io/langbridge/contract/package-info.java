/** What every engine must do, with the reference's numbers: abstract test classes that each engine module extends. */
@NullMarked
package io.langbridge.contract;

import org.jspecify.annotations.NullMarked;
