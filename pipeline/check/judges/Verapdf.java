import java.io.FileInputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Asks the veraPDF engine whether PDF files conform to a profile (ua1, 2b, 3a, ...).
 *
 * Arguments: PROFILE PDF...
 * Output: for each broken rule of the file with number N (from 0) a line "N tab finding", and the
 * line "N tab" once file N is judged to the end. A file without that line has no verdict.
 */
public class Verapdf {
    private static final int FAILURES_PER_RULE = 100;
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] arguments) {
        PDFAFlavour profile = PDFAFlavour.fromString(arguments[0]);
        // The engine takes an unknown name for a similar one and would judge by the wrong rules.
        if (!profile.getId().equals(arguments[0])) {
            throw new IllegalArgumentException("veraPDF has no profile " + arguments[0]);
        }
        VeraGreenfieldFoundryProvider.initialise();
        for (int i = 1; i < arguments.length; i++) {
            judge(i - 1, arguments[i], profile);
        }
    }

    private static void judge(int number, String path, PDFAFlavour profile) {
        try (InputStream file = new FileInputStream(path);
                PDFAParser parser = Foundries.defaultInstance().createParser(file, profile)) {
            ValidationResult result = Foundries.defaultInstance()
                .createValidator(profile, FAILURES_PER_RULE, false, true, false)
                .validate(parser);
            report(number, result);
        } catch (Exception error) {
            say(number, "cannot be judged: " + error);
        }
        say(number, "");
    }

    private static void report(int number, ValidationResult result) {
        Map<String, String> places = new TreeMap<>();
        Map<String, Integer> counts = new TreeMap<>();
        for (TestAssertion check : result.getTestAssertions()) {
            if (check.getStatus() == TestAssertion.Status.FAILED) {
                String rule = check.getRuleId().getClause() + "-" + check.getRuleId().getTestNumber();
                String finding = rule + ": " + check.getMessage();
                places.putIfAbsent(finding, check.getLocation().getContext());
                counts.merge(finding, 1, Integer::sum);
            }
        }
        places.forEach((finding, place) ->
            say(number, finding + " (" + counts.get(finding) + " times, first at " + place + ")"));
        if (!result.isCompliant() && places.isEmpty()) {
            say(number, "not compliant, no rule named");
        }
    }

    private static void say(int number, String finding) {
        OUT.println(number + "\t" + finding.replaceAll("\\s+", " "));
    }
}
