"""Where in a sentence a secret stands: after "my password is", before "is my code", between "://" and "@".

The patterns read folded text (door/redaction.py): no accents, straight quotation marks, single blanks. Every one
captures `value`; every quantifier is bounded, so that a message of 1000 characters costs little whatever is in it.
"""

import re

_I = re.IGNORECASE
_START = r"(?<![\w-])(?:my_?|[a-z]{1,12}_){0,2}"

# Tokens that no sentence contains by chance.
TOKENS = re.compile(
    r"""(?P<value>
    -----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY-----(?:(?!-----END).){0,1000}(?:-----END\ [A-Z ]{0,30}PRIVATE\ KEY-----)?
    | (?<![\w-])eyJ[\w-]{8,1000}\.[\w-]{4,1000}(?:\.[\w-]{0,1000})?         # JSON web tokens
    | (?<![\w-])(?:sk|pk|rk)[-_][\w-]{16,200}
    | (?<![\w-])xox[a-z]-[\w-]{8,200}
    | \bgh[a-z]_\w{20,200} | \bgithub_pat_\w{20,200} | (?<![\w-])glpat-[\w-]{16,200}
    | \bAKIA[0-9A-Z]{16}\b | (?<![\w-])AIza[\w-]{30,100}
    | (?<![\w-])00[\w-]{38,44}(?![\w-])                                       # Okta API tokens
    | \b\d{6}(?:-\d{6}){3,7}\b                                                # BitLocker recovery keys
    | (?<=[?&]code=)[^&\s]{6,200} | (?<=[?&]key=)[^&\s]{6,200} | (?<=[?&_]token=)[^&\s]{6,200}
    | (?<=[?&]password=)[^&\s]{3,200}
    | (?<![\w-])(?=[\w-]{0,200}[a-z])(?=[\w-]{0,200}[A-Z])(?=[\w-]{0,200}\d)[\w-]{40,1000}   # long random text
    )""",
    re.VERBOSE | re.DOTALL,
)
SCHEMES = re.compile(r"\b(?:bearer|basic|ssws)\s(?P<value>[\w.~+/=-]{12,1000})", _I)
CREDENTIALS_IN_URL = re.compile(r"://[^\s:/@]{1,64}:(?P<value>[^\s@/]{1,80})@")
CREDENTIALS_OPTION = re.compile(r"(?<!\S)(?:-u|--user)[\s=]?['\"]?[^\s:'\"]{1,64}:(?P<value>[^\s'\"]{1,80})", _I)
CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")

_LABEL = (
    r"(?:pass?\s?-?(?:words?|phrases?|codes?)|pas{1,2}(?:wor|wrod|owrd|wrd|word|wod)d?s?|passwd|passw|p[a@]ssw[o0]rds?|p\sa\ss\ss\sw\so\sr\sd|pwds?|pws?|p/w|p\.w\.?|"
    r"pass|psw|pword|secret|pin(?:\s(?:code|number))?s?|passwort|passwoerter|kennwort|kennwoerter|pwort|mots?\sde\spasse|mdp|"
    r"contrasenas?|clave|senha|palavra-passe|wachtwoord|haslo|losenord|adgangskode|"
    r"(?:recovery|backup|api|private|secret|access)\s(?:key|phrase)|security\sanswer|answer\sto\s(?:my|the)\s(?:security|secret)\squestion|maiden\sname)"
)
_VALUE = r"(?P<value>\"[^\"\n]{3,200}\"|'[^'\n]{3,200}'|\S{1,80})"
_VERB = (
    r"(?:is|was|are|were|be|(?:should|might|must|may|could|would|will)\sbe|used\sto\sbe|ha[sd]\sbeen|"
    r"ist|war|lautet|heisst|est|etait|es|era)"
)
_ABOUT = (
    r"(?:\s(?:for|of|on|in|at|from|to\s(?:my|the|our)|fur|pour|para|de|del)(?:\s[\w'@.-]{1,40}){1,4}?|"
    r"\s(?:that\s)?(?:i|we|he|she|they|it)(?:'ve|\shave|\shad)?(?:\sbeen)?\s(?:us(?:ed?|ing)|agreed|typed?|set|chose|picked|entered|got|"
    r"was\sgiven|created|made|wanted|have|had|gave|told|sent|issued)(?:\s[\w'-]{1,20}){0,4}?|\sque\s[\w']{1,20}(?:\s\w{1,20}){0,2}?|\s(?:still|now|currently|again))"
)
_SIGN = rf"(?P<sign>\s?(?:[:=]|[-=]>|[\u2192\u21d2\u2013\u2014])\s?|\s-\s|\s(?:{_VERB}|to|as)\s?:?\s|'s\s)"
LABELLED = re.compile(
    rf"{_START}{_LABEL}(?!\w)(?:\s\([\w\s]{{1,20}}\))?{_ABOUT}?{_SIGN}(?:(?:still|now|just|currently|probably|maybe)\s)?{_VALUE}",
    _I,
)
_STATE = r"\s(?:is|was|still|right|correct|ok|okay|wrong|this|now|not|valid|working)"
BESIDE_LABEL = re.compile(
    rf"{_START}{_LABEL}(?!\w)(?:(?:{_STATE}){{1,4}}\s?:\s?|{_ABOUT}?,?\s){_VALUE}",
    _I,
)
QUOTED_BESIDE_LABEL = re.compile(
    rf"{_START}{_LABEL}\s(?P<value>\"[^\s\"]{{3,80}}\"|'[^\s']{{3,80}}')"
    r"(?!\s(?:button|link|page|field|message|screen|box))",
    _I,
)
BELOW_LABEL = re.compile(rf"{_START}{_LABEL}\n(?P<value>\S{{3,80}})$", _I | re.MULTILINE)
CHANGED = re.compile(
    rf"{_START}{_LABEL}(?!\w)(?:\s[\w'-]{{1,20}}){{0,4}}?\s(?:from|old|alt|de|von)\s(?P<value>\S{{1,80}})", _I
)
REVERSED = re.compile(
    rf"(?<!\S)(?P<value>\S{{1,80}})\s?(?:\s(?:is|was|as|for|used\sto\sbe|ist|est|es)|<-{{1,2}}|[\u2190=(,])\s?"
    rf"(?:(?:that|it)'?s\s)?(?:(?:my|the|our|his|her|a|an|mein|das|mon|mi)\s)?(?:[\w-]{{1,20}}\s){{0,2}}{_LABEL}(?!\w)",
    _I,
)
_AFTER = (
    r"\s?(?:\Z|[.,;:!?)\n]|(?:ok|okay|right|until|since|when|before|after|because|and|but|can|could|please|pls|plz|why|what|so|or|help|for|it|i|thanks|still|und|et|y|aber|"
    r"mais|pero)\b)"
)
AFTER = re.compile(_AFTER, _I)
WORD_REVERSED = re.compile(
    rf"(?:^|(?<=[.,;:!?]\s))(?P<value>[^\W\d_]{{4,30}})\s(?:is|was)\smy\s(?:[\w-]{{1,20}}\s)?{_LABEL}(?={_AFTER})",
    _I | re.MULTILINE,
)
# What begins another clause: a passphrase ends before it.
JOINING = re.compile(
    r"(?:and|but|can|could|please|pls|plz|why|what|so|because|which|then|ok|okay|right|und|aber|et|mais|y|pero)\Z", _I
)
WORDS = re.compile(r"\S{1,80}")
BARE_WORD = re.compile(
    r"(?<!\S)(?<!for )(?<!on )(?<!in )(?<!to )(?<!into )(?<!of )(?<!at )(?<!user )(?<!called )(?<!named )(?<!with )"
    r"(?<!my )(?<!our )(?<!the )(?<!a )"
    r"(?P<value>[\w.#*$!?,;:\"'()-]{6,40})(?!\S)"
)
ANY_WORD = re.compile(r"(?<!\S)(?P<value>\S{4,80})(?!\S)")
SENTENCE_WITH_LABEL = re.compile(rf"(?:(?<=[.!?\n])|^)[^.!?\n]{{0,300}}?{_START}{_LABEL}(?!\w)[^.?\n]{{0,300}}", _I)

TYPED = re.compile(
    rf"{_START}(?:(?P<verb>typed|typing|type|tried|trying|try|guessed|guess|wrote|write|writing|input|put(?:\sin)?|ich\s(?:gebe|tippe|nutze|benutze|verwende)|pasted?|"
    r"(?:chang(?:ed?|ing)|set|reset|updated?)\s(?:it|them|that)\s(?:to|from)|(?:new|old|right|correct|real|other|last|current)\sone\s(?:is|was)|entered|entering|enter|rejecting|rejects?|rejected|"
    r"refusing|refuses?|refused|(?:accept|take|accepting|taking|recogni[sz]e|like)|eingegeben|tape|puse)|"
    r"(?:used|using|use|(?:log|sign|logged|signed|logging|signing)\sin\swith|"
    r"it'?s|it\sis|it\swas|that'?s|this\sis|here\s(?:it\s)?is|here\syou\sgo))"
    rf"\s?:?\s(?:in\s|out\s|my\s|the\s)?{_VALUE}(?!\sas\s(?:my\s|the\s)?(?:user|login|name))",
    _I,
)
PAIR = re.compile(
    r"(?<!\S)(?:(?:log-?in|log\sin|username|user\sname|user|credentials?|creds?|account|benutzer(?:name)?|utilisateur|"
    r"usuario)\s?(?:\s(?:is|are|as)|[:=])?\s(?!(?:is|are|as|with|to|from|on|and|page|name)\b)[\w.@+-]{2,64}|u\s?[:=]\s?\S{2,64}|"
    r"(?:log|sign|logg?ed|signed)\sin\s(?:with|as)\s[\w.@+-]{2,64}(?=\s?(?:and|/|:|,))|[\w.+-]{1,64}@[\w.-]{1,64}\w)"
    r"(?:\s?[/:|,;-]\s?|\s(?:and\s|with\s|p\s?[:=]\s?)?)(?P<value>\S{6,80})(?!\S)",
    _I,
)
REFUSED = re.compile(
    r"(?<!\S)(?P<value>\S{6,80})\s(?:doesn'?t|does\snot|isn'?t|is\snot|didn'?t|won'?t|not|is|was|gets?|keeps)\s"
    r"(?:(?:being|getting)\s)?(?:accepted|rejected|refused|wrong|valid|right|correct|taken)",
    _I,
)
LINE_PAIR = re.compile(r"^[\w.@+-]{2,40}\s?[/:|]\s?(?P<value>\S{6,80})$", re.MULTILINE)
NAMED_PAIR = re.compile(
    r"(?<!\S)(?:user|username|login|id|email)\s?[:=]?\s?(?!and\b|or\b)[\w.@+-]{2,64}[,;]?\s(?:and\s)?(?:(?:the|my)\s)?"
    rf"{_LABEL}\s(?P<value>\S{{3,80}})(?={_AFTER})",
    _I,
)
KEYS = re.compile(
    rf"{_START}(?:(?:recovery|backup|bitlocker|emergency|scratch|one[- ]time|access)\s(?:keys?|codes?|phrase)|"
    r"(?:session|api|auth|refresh|access)\stoken)"
    r"(?:\s(?:is|are|was|were))?\s?[:=]?\s(?P<value>[\w-]{6,80})",
    _I,
)
HIDDEN_END = re.compile(r"\u2022(?!\u2022)")
CONTINUED = re.compile(
    r"['\"]?(?:[,;/]\s?|\s)(?:(?:and|or|then|now|to|und|et|y|nor|also|even|new)\s){0,2}(?P<value>[^\s\u2022]{6,80})", _I
)

_CODE_KIND = (
    r"(?:one[- ]time|verification|security|sms|text|mfa|2fa|otp|okta|login|sign-?in|authenticator|auth|backup|recovery|"
    r"access|temporary|the|my|a|this|that)"
)
_CODE_LABEL = (
    rf"(?:{_CODE_KIND}\s){{0,4}}(?:(?:bestatigungs|zugangs|sicherheits|einmal|anmelde)?-?codes?|kodes?|"
    r"codigos?|otps?|totp|passcodes?|pins?|one[- ]time\spasswords?|tokens?|"
    r"(?:number|digits)\s(?:in|on|from)\s(?:(?:the|my)\s)?(?:okta\s)?(?:app|authenticator|sms|text|phone|screen))"
)
_DIGITS = r"(?:\d{3,5}[ -]\d{3,5}|\d{4,10}|\d\d(?:[ -]\d\d){2,4}|\d(?:[ -]\d){3,9})"
_ENDS = r"(?![\w-]|[.,]\d)"
_NOT_A_CODE = (
    r"(?<!error )(?<!status )(?<!area )(?<!zip )(?<!postal )(?<!country )(?<!exit )(?<!http )(?<!response )(?<!source )"
    r"(?<!reason )(?<!event )(?<!result )(?<!dress )(?<!post )(?<!cost )(?<!fault )(?<!stop )(?<!failure )(?<!door )"
    r"(?<!building )(?<!product )(?<!promo )(?<!discount )(?<!booking )(?<!project )(?<!department )(?<!location )"
    r"(?<!site )(?<!plant )(?<!store )(?<!tax )(?<!\w-)"
)
CODES = re.compile(
    rf"\b{_NOT_A_CODE}{_CODE_LABEL}\s?(?:[:=#]|->|[\u2013\u2014\u2192])?\s?(?:(?:from|on|in|for)(?:\s[\w'-]{{1,30}}){{1,3}}?\s)?"
    rf"(?:it\s(?:says|shows|gave)\s|(?:is|was|are|were|says|reads|shows|ist|lautet|est|es)\s?:?\s?)?(?:me\s)?[\"']?"
    rf"(?P<value>{_DIGITS}(?:(?:\s?[,;/]\s?|\s(?:(?:and|or|then|und|et|y)\s)?){_DIGITS}){{0,12}}){_ENDS}",
    _I,
)
CODES_REVERSED = re.compile(
    rf"(?<![\w-])(?P<value>{_DIGITS})[\"']?\s?(?:\s(?:is|was|as|ist|est|es)|<-{{1,2}}|[\u2190=(])\s?{_NOT_A_CODE}{_CODE_LABEL}\b",
    _I,
)
# Six digits are a one-time code, unless the words before or after them say what they count or number.
CODE_ALONE = re.compile(
    r"(?<![\w.,:/#$\u20ac\u00a3+~-])(?<!\d\s)(?P<value>(?!\d{3}000)\d{6}|\d{3}[ -]\d{3})(?![\w%\u20ac$/:-]|[.,]\d|\s\d|"
    r"\s(?:files?|users?|euros?|eur|usd|dollars?|people|persons|e?mails?|rows?|km|items?|times|records|employees|miles|"
    r"messages|bytes|units|customers|extension|ext)\b)",
    _I,
)
_NUMBERED = (
    r"\w{1,12}code|raum|zimmer|haus|salle|bureau|sala|ext|extension|durchwahl|poste|error|fehler|erreur|status|event|id|ids|no|nr|num|number|nummer|\w{1,20}nummer|numero|"
    r"matricule|ticket|case|incident|request|change|problem|employee|staff|personnel|badge|asset|tag|serial|order|invoice|po|"
    r"room|building|floor|office|zip|plz|postal|version|build|release|kb|port|pid|process|customer|contract|fax|desk|locker|"
    r"printer|payroll|cost|centre|center|project|amount|salary|budget|about|over|than|nearly|line|box|model|reference|ref|"
    r"article|sku|license|licence|plate|flight|booking|department|dept|workstation|machine|device|inventory|bug|issue|"
    r"exception|stop|sap|transaction|account|user|policy|student|member|page|record|vendor|supplier|parcel|tracking"
)
NUMBER_OF_SOMETHING = re.compile(rf"\b(?:{_NUMBERED})\b[.:#]?(?:\s[\w'-]{{1,20}}[:.]?){{0,3}}\s?[:#\"'(]?\s?$", _I)
CALL = re.compile(
    r"\b(?:call|phone|dial|reach|tel|telephone|mobile|cell|ring|landline|handy|telefon)\b[.:]?"
    r"(?:\s(?!says|shows|got|gave|code|sent|displays)[\w'-]{1,20}[:.]?){0,3}\s?[:#(]?\s?$",
    _I,
)
ONLY_A_CODE = re.compile(
    r"^[^\w\n#]{0,20}(?:g-)?(?P<value>\d{6}|\d{8}|\d{3}[ -]\d{3}|\d{4}[ -]\d{4})[^\w\n]{0,20}$", _I | re.MULTILINE
)
