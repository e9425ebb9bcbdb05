package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever stands in tokenizer.json, the answer is a tokenizer or an exception that names file and key. */
class TokenizerFaultsTest {
    @TempDir
    Path folder;

    private static String whole() throws Exception {
        Path file = TokenizerTest.FOLDER.resolve("tokenizer.json");
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    private void write(String json) throws Exception {
        Files.write(folder.resolve("tokenizer.json"), json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void wrong_and_missing_values_are_named() throws Exception {
        String[][] wrong = {
            {"added_tokens", "[{'id':1}]", "'added_tokens[0].content' is missing"},
            {"added_tokens", "[{'id':1,'content':null}]", "'added_tokens[0].content' is missing"},
            {"added_tokens", "[{'content':'x'}]", "'added_tokens[0].id' is missing"},
            {"added_tokens", "[{'id':1.5,'content':'x'}]", "'added_tokens[0].id' is not a whole number"},
            {"added_tokens", "[{'id':1,'content':'x','special':{}}]", "'added_tokens[0].special' is not true or false"},
            {"added_tokens", "[1]", "'added_tokens[0]' is not an object"},
            {"added_tokens", "null", "'added_tokens' is missing"},
            {"added_tokens", "{}", "'[' is missing"},
            {"decoder", "{'type':'Strip'}", "'decoder.content' is missing"},
            {"decoder", "{'type':{}}", "'decoder.type' is not a text"},
            {"decoder", "{'type':'Metaspace','replacement':'abc'}", "'decoder.replacement' is not one character"},
            {"decoder", "{'type':'Sequence'}", "'decoder.decoders' is missing"},
            {"decoder", "{'type':'Replace','pattern':'x','content':'y'}", "'decoder.pattern' is not an object"},
            {"normalizer", "{'type':'Strip','strip_left':1}", "'normalizer.strip_left' is not true or false"},
            {"normalizer", "{'type':'Precompiled','precompiled_charsmap':'AQ=='}", "'normalizer.precompiled_charsmap'"},
            {"normalizer", "{'type':'Precompiled','precompiled_charsmap':'!'}", "is not Base64"},
            {"normalizer", "{'type':'Replace','pattern':{},'content':''}", "neither a String nor a Regex"},
            {"pre_tokenizer", "{'type':'Digits'}", "'pre_tokenizer.individual_digits' is missing"},
            {"pre_tokenizer", "{'type':'Metaspace','replacement':''}", "'pre_tokenizer.replacement' is not one"},
            {"pre_tokenizer", "{'type':'CharDelimiterSplit','delimiter':'ab'}", "'pre_tokenizer.delimiter' is not one"},
            {"pre_tokenizer", "{'type':'Sequence','pretokenizers':[{}]}", "'pre_tokenizer.pretokenizers[0].type' is"},
            {"post_processor", "{'type':'BertProcessing','cls':['y',0]}", "'post_processor.sep' is missing"},
            {"post_processor", "{'type':'BertProcessing','sep':['x',9999],'cls':['y',0]}", "'post_processor.sep[1]'"},
            {"post_processor", "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'[X]'}}]}", "special_tok"},
            {"post_processor", "{'type':'TemplateProcessing','single':[]}", "'post_processor.single' leaves the text"},
            {"model", "{'type':'BPE','vocab':{'a':0},'merges':['a b']}", "'model.merges[0]'"},
            {"model", "{'type':'BPE','vocab':{'a':0},'merges':['a a']}", "'model.merges[0]'"},
            {"model", "{'type':'BPE','vocab':{'a':0},'merges':['a b c']}", "not two tokens with a space"},
            {"model", "{'type':'BPE','vocab':{'a':0}}", "'model.merges' is missing"},
            {"model", "{'type':'BPE','vocab':{'a':4000000},'merges':[]}", "the id 4000000"},
            {"model", "{'type':'BPE','vocab':{'a':-1},'merges':[]}", "is not a whole number"},
            {"model", "{'type':'BPE','vocab':{'a':0,'a':1},'merges':[]}", "'a' is there twice"},
            {"model", "{'type':'Unigram','unk_id':9,'vocab':[['a',-1]]}", "'model.unk_id' is not a whole number"},
            {"model", "{'type':'Unigram','unk_id':0,'vocab':[['a',-1],['a',-1]]}", "'a' is there twice"},
            {"model", "{'type':'Unigram','unk_id':0,'vocab':[['a',1e999]]}", "score that is no number"},
            {"model", "{'type':'Unigram','unk_id':0,'vocab':[]}", "no vocabulary"},
            {"model", "null", "'model' is not an object"},
        };
        for (String[] one : wrong) {
            String part = one[0];
            String value = one[1].replace('\'', '"');
            String json = "{\"" + part + "\":" + value
                    + (part.equals("model") ? "}" : ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}");
            write(json);

            assertThatThrownBy(() -> Tokenizer.of(folder))
                    .as(one[1])
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("tokenizer.json")
                    .hasMessageContaining(one[2]);
        }
    }

    @Test
    void what_is_not_supported_is_named() throws Exception {
        String[][] unknown = {
            {"normalizer", "{'type':'Odd'}", "'Odd'"},
            {"pre_tokenizer", "{'type':'UnicodeScripts'}", "'UnicodeScripts'"},
            {"pre_tokenizer", "{'type':'Punctuation','behavior':'Foo'}", "'Foo'"},
            {"post_processor", "{'type':'Odd'}", "'Odd'"},
            {"decoder", "{'type':'CTC'}", "'CTC'"},
            {"version", "'9.9'", "'9.9'"},
            {"model", "{'type':'WordPiece','vocab':{'a':0}}", "'WordPiece'"},
            {"model", "{'type':'BPE','vocab':{'a':0},'merges':[],'dropout':0.5}", "'model.dropout'"},
        };
        for (String[] one : unknown) {
            TokenizerFolder json = TokenizerFolder.byteLevel(folder).with(one[0], one[1]);

            assertThatThrownBy(json::open)
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("tokenizer.json")
                    .hasMessageContaining(one[2])
                    .hasMessageContaining("upported");
        }
    }

    @Test
    void json_is_read_strictly_and_its_depth_is_bounded() throws Exception {
        String whole = whole();
        String deep =
                String.join("", Collections.nCopies(100_000, "[")) + String.join("", Collections.nCopies(100_000, "]"));
        String[] broken = {
            whole.replaceFirst("\"decoder\"", "/* c */ \"decoder\""),
            whole.replaceFirst("\"decoder\"", "decoder"),
            whole.replaceFirst("\"version\"", "\"q\": " + deep + ", \"version\""),
            whole.replaceFirst("\"added_tokens\":\\[", "\"added_tokens\":[" + deep + ","),
            whole.replaceFirst("\"model\"", "\"model\": {}, \"model\""),
            whole.replaceFirst("\"version\"", "\"\\\\ud800\": 1, \"version\""),
            whole.replaceFirst("\"vocab\":\\{", "\"vocab\":{\"\\\\ud800\": 5, "),
            whole + "\0",
            "\ufeff" + whole,
            whole.substring(0, whole.length() - 1),
            whole.replaceFirst("\"version\"", "\"\n\": 1, \"version\""),
            whole.replaceFirst("\"version\"", "\"q\": 01, \"version\""),
        };
        for (String json : broken) {
            write(json);

            assertThatThrownBy(() -> Tokenizer.of(folder))
                    .as(json.substring(0, 100))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("tokenizer.json")
                    .hasMessageContaining("damaged at byte");
        }
    }

    @Test
    void control_characters_of_a_file_are_shown_escaped() throws Exception {
        TokenizerFolder json =
                TokenizerFolder.byteLevel(folder).with("normalizer", "{'type':'a\\u001b[31m\\u202e\\nb'}");

        assertThatThrownBy(json::open).hasMessageContaining("'a\\u001b[31m\\u202e\\u000ab'");
    }

    @Test
    void normalizers_cannot_fill_the_memory() throws Exception {
        String grow = "{'type':'Replace','pattern':{'String':'l'},'content':'"
                + String.join("", Collections.nCopies(1000, "l")) + "'}";
        Tokenizer tokenizer = TokenizerFolder.byteLevel(folder)
                .with("normalizer", "{'type':'Sequence','normalizers':[" + grow + "," + grow + "," + grow + "]}")
                .open();

        assertThatThrownBy(() -> tokenizer.encode("hello", false))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("normalizers make a text of more than");
    }

    @Test
    void long_chains_are_refused() throws Exception {
        String many = String.join(",", Collections.nCopies(5000, "{'type':'Whitespace'}"));

        assertThatThrownBy(() -> TokenizerFolder.byteLevel(folder)
                        .with("pre_tokenizer", "{'type':'Sequence','pretokenizers':[" + many + "]}")
                        .open())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("64");
    }

    @Test
    void damaged_bytes_anywhere_give_a_typed_exception_or_a_tokenizer_that_works() throws Exception {
        byte[] bytes = whole().getBytes(StandardCharsets.UTF_8);
        Random random = new Random(5);
        int opened = 0;
        for (int i = 0; i < 1500; i++) {
            byte[] damaged = bytes.clone();
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                // Half of them where the small parts are.
                int at = random.nextBoolean() ? random.nextInt(damaged.length) : random.nextInt(1300);
                damaged[at] = random.nextBoolean() ? (byte) random.nextInt(256) : bytes[random.nextInt(1300)];
            }
            Files.write(folder.resolve("tokenizer.json"), damaged);
            try {
                Tokenizer tokenizer = Tokenizer.of(folder);
                int[] ids = tokenizer.encode("Hello <|im_end|> \u00e9\n 12", true);
                assertThat(tokenizer.decode(ids, false)).isNotNull();
                opened++;
            } catch (CheckpointException | UnsupportedModelException | PromptException e) {
                assertThat(e).hasMessageContaining("tokenizer.json");
            }
        }
        assertThat(opened).isBetween(50, 1450);
    }
}
