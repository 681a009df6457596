/** Small words by what they do in a sentence, lower case; English first, others as far as rules can use them. */

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

/** Words that tell nothing by themselves. */
export const stopWords = words(
  `a an the and or but nor so yet if then than that this these those there here it its it’s is are was were be been being am
  do does did done has have had having will would shall should can could may might must of in on at by for from to into
  onto with without within about over under after before between through during against among as not no yes i you he she we
  they me him her us them my your his our their who whom whose which what when where why how all any both each every few
  more most other some such only own same too very just also even still ever never always often sometimes one two three
  again once because while until since like say says said get gets got make makes made take takes took put goes go went
  come comes came thing things something anything nothing else up down out off away back first second third last next
  der die das und oder aber ein eine einen einem einer ist sind war mit von zu im am auf für als auch nicht wird werden
  le la les un une des et ou mais est sont dans sur pour par avec que qui ne pas ce cette
  el los las una y o pero es son en por para con que no se su del al
  है हैं था थी थे और का की के को में से पर यह वह एक भी ही तो नहीं जो कि ने`,
);

/** Words that lead into a sentence and can be left out of it. */
export const leadIns = words(
  `and but or so yet then now also sometimes often usually however therefore instead first second third fourth finally
  lastly next please otherwise well yes indeed still moreover furthermore meanwhile again today here
  und aber oder doch dann also zuerst danach bitte et mais ou donc puis y pero o entonces और लेकिन फिर`,
);

/** What begins so leans on something said before, or is no clause of its own. */
export const leaningStarts = words(
  `if when whenever while because since although though unless until whether as that which who whom whose where why how
  what than after before once like such it its it’s it's he she they them this these those there another others one
  something anything everything almost about around somewhere anywhere said says asked says
  in on at by for from to into onto with without within over under between through during against among of off up out
  and or but nor so yet both either neither is are was were has have had do does did will would can could may
  might must shall should be been being his her their theirs him us me myself itself themselves ones
  wenn weil dass als ob obwohl damit welche welcher welches er sie es dies diese in im mit von für auf bei
  zu nach aus über unter
  qui que quand parce si il elle ils elles cela ce dans sur avec pour par de
  que cuando porque si él ella ellos esto en con por para de
  जो कि जब अगर क्योंकि वह यह वे`,
);

/** Where a clause may be cut, if what stands before it is whole. */
export const coordinators = words('and or but und oder aber et ou mais y o pero और या');
export const subordinators = words('when if because until while before unless although though whereas so');

/** Prepositions before which a long clause may be cut when a noun stands there. */
export const cuttingPrepositions = words(
  'with for from at by along in on during between through after before without',
);

/** Words after which a noun comes, so that the stretch after them is one. */
export const determiners = words(
  'a an the this that these those my your his her its our their each every no any some all two three four five',
);

/** Words that nothing may end in: they wait for more. */
export const danglingEnds = words(
  `a an the and or but nor of in on at by for from to into onto with without within about over under between through
  during against among as than that this these those which who whose is are was were be been being am has have had do does
  did will would shall should can could may might must not no very so if when because until while one my your his her its
  our their each every any some also only just even too more most such like called named said says it them him us me
  der die das ein eine und oder mit von zu im am auf für le la les un une et de du el los las y o en con por para`,
);

const negations = words(
  'not no never none nobody nothing cannot without neither nor nicht kein keine nie pas jamais nunca nahi नहीं',
);

export const isNegation = (word: string): boolean =>
  negations.has(word.toLowerCase()) || /n['’]t$/i.test(word);

/** Whether a word says something by itself. */
export function isTelling(word: string): boolean {
  const lower = word.toLowerCase();
  const plain = lower.replace(/['’].*$/, '');
  if (plain.length <= 1 && !/\p{N}/u.test(plain)) return false;
  return !stopWords.has(plain) && !stopWords.has(lower) && /[\p{L}\p{N}]/u.test(word);
}
