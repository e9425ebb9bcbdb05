/**
 * Questions about pictures, answered in the caller's own process.
 *
 * <pre>{@code
 * try (VisionLanguageModel model = VisionLanguageModel.load(Path.of("SmolVLM2-500M-Video-Instruct"))) {
 *     Answer answer = model.ask(Image.of(Path.of("street.jpg")), "What is parked on the left?");
 * }
 * }</pre>
 *
 * <table>
 * <caption>A map of the types</caption>
 * <tr><th scope="col">To</th><th scope="col">there is</th></tr>
 * <tr><td>load a model</td><td>{@link io.langbridge.VisionLanguageModel}, from one folder, or from the parts {@link
 *     io.langbridge.Encoder}, {@link io.langbridge.Adapter} and {@link io.langbridge.Llm}; {@link
 *     io.langbridge.Precision}, {@link io.langbridge.Device}, {@link io.langbridge.EngineName}; {@link
 *     io.langbridge.FitReport} before anything is loaded</td></tr>
 * <tr><td>hand over a picture</td><td>{@link io.langbridge.Image} with its {@link io.langbridge.ImageLimits}; {@link
 *     io.langbridge.EncodedImage} once it was seen</td></tr>
 * <tr><td>ask</td><td>{@link io.langbridge.Request} of {@link io.langbridge.Message}s, {@link
 *     io.langbridge.GenerationOptions}; {@link io.langbridge.Chat} for one question after the other</td></tr>
 * <tr><td>be answered</td><td>{@link io.langbridge.Answer} with its {@link io.langbridge.FinishReason}; {@link
 *     io.langbridge.AnswerStream}, or {@link io.langbridge.AnswerListener} and {@link io.langbridge.AnswerHandle}, piece
 *     by piece; {@link io.langbridge.JsonValue}; {@link io.langbridge.Choice} among labels</td></tr>
 * <tr><td>see what a picture is made of</td><td>{@link io.langbridge.Explanation}, {@link
 *     io.langbridge.ExplainOptions}</td></tr>
 * <tr><td>work with LangBridge adapters</td><td>{@link io.langbridge.LangBridgeModel}, {@link
 *     io.langbridge.LangBridgeAdapter}, {@link io.langbridge.AdapterWriter}, {@link io.langbridge.MissingTokens}, {@link
 *     io.langbridge.SoftmaxCut}</td></tr>
 * <tr><td>watch</td><td>{@link io.langbridge.ModelListener}</td></tr>
 * <tr><td>catch</td><td>{@link io.langbridge.LangBridgeException}, of which all the others are</td></tr>
 * </table>
 *
 * <p>What engines and decoders of pictures implement is in {@link io.langbridge.spi}.
 */
@NullMarked
package io.langbridge;

import org.jspecify.annotations.NullMarked;
