import com.adobe.epubcheck.tool.EpubChecker;

/**
 * Runs EPUBCheck's own command line on many books in one Java machine, since loading its schemas
 * takes seconds and judging a book a fraction of one.
 *
 * Arguments: BOOK REPORT, as many pairs as there are books; each report is EPUBCheck's JSON.
 */
public class Epubcheck {
    public static void main(String[] arguments) {
        for (int i = 0; i < arguments.length; i += 2) {
            new EpubChecker().run(new String[] {
                "--failonwarnings", "--quiet", "--json", arguments[i + 1], arguments[i]
            });
        }
    }
}
