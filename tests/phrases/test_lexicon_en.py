"""The English phrases: what people say, class by class, and what only sounds like it."""

import pytest

from monitor.events import Word
from monitor.phrases.lexicon import Lexicon

SAID = {
    "confirms": """
        yes it does thank you
        it's all sorted now
        no that's all thanks
        it is yes
        everything works again
    """,
    "empathy": """
        I completely understand how frustrating this must be for you
        I can see why you're upset
        I can hear that this has been really stressful
        that must have been so annoying
        that sounds absolutely awful
        I'd be upset too
        you have every right to be angry
        no wonder you're fed up
        I hear what you're saying
        I understand your frustration
        I'm sorry to hear that
        what a horrible situation
        I can only imagine how worrying that is
        it makes sense that you feel let down
        you shouldn't have had to chase us
        I know this is hard
        thank you for telling me that
    """,
    "negative": """
        unfortunately we don't do that
        I can't give you a refund
        we're not allowed to change it
        you'll have to call another department
        I'm not able to open your account
        there's nothing I can do
        that's not possible
        you have to fill in a form first
        I'm afraid we can't
        we won't be able to deliver today
        that is out of my hands
        you must send it back first
        I'm unable to access that
    """,
    "blame": """
        your should have sent us a reading
        you could have told us earlier
        you should have read the terms
        well that's your fault
        you didn't tell us about it
        it clearly says so in the email
        you must have entered the wrong address
        you never called us
        if you had only paid on time
        you forgot to sign it
        because you didn't return it
        you were supposed to send the form
        that was your mistake
        you gave us the wrong number
    """,
    "judging": """
        please calm down
        you need to calm down
        just relax
        obviously it won't work like that
        that's ridiculous
        you're being unreasonable
        there's no need to shout
        you are overreacting
        everyone else manages
        don't be silly
        it's not that difficult
        as you should know
    """,
    "defensive": """
        it's not my fault
        I'm just doing my job
        don't shout at me
        I never said that
        I only work here
        I don't make the rules
        that's not my department
        why are you yelling at me
        nobody told me about it
        I didn't say that
        what do you want me to do about it
        that has nothing to do with me
    """,
    "jargon": """
        I need your RMA number
        that is outside the SLA
        we have to provision the line
        your firmware is out of date
        that was prorated
        we will do a root cause analysis
        the SKU code please
        it is on back order
    """,
    "abuse_mild": """
        you're an idiot
        this is bullshit
        are you stupid
        you lot are useless
        shut up
        what the hell
        bunch of clowns
    """,
    "abuse_severe": """
        fuck you
        you stupid bitch
        go to hell
        you lying bastard
        go fuck yourself
        you absolute wanker
        learn to speak english
    """,
    "threat": """
        I know where you work
        I will find you
        you'll regret this
        I'm going to come down there and smash your office up
        watch your back
        I'll kill you
    """,
    "boundary": """
        I want to help you but please don't swear at me
        please don't shout
        I would ask you to speak to me calmly
        if you continue to swear I will have to end the call
        I can't accept that kind of language
        that language is not okay
        I need you to stop shouting
        let's keep this respectful
        I will end the call now
    """,
    "escalation_request": """
        I want to speak to your manager
        get me a supervisor
        let me talk to someone in charge
        I'm going to make a formal complaint
        I'll get my lawyer
        I'm taking this to the ombudsman
        I want to cancel my contract
        I'd like to cancel contract please
        you'll hear from my solicitor
        I will see you in court
        put me through to your boss
        I'm going to take my business elsewhere
        can I speak to somebody else
        I'll leave a bad review
    """,
    "escalation_offer": """
        I'll transfer you to our billing team
        let me put you through to my colleague
        I will escalate this to the second line
        let me get my supervisor
        I'm going to pass you over to the specialists
        I'll connect you with our claims department
    """,
    "hold": """
        can I put you on hold for a moment
        could you hold the line please
        please hold
        would you mind holding for a minute
        I'm just going to pop you on hold
        hold on a second please
    """,
    "hold_reason": """
        I'll put you on hold while I check with the warehouse
        can you hold so I can look at your file
        I need to speak with my colleague about your case
    """,
    "closing": """
        have a nice day
        have a lovely weekend
        goodbye
        bye bye
        thanks for calling
        is there anything else I can help you with
        take care now
        speak to you soon
    """,
    "anything_else": """
        is there anything else I can do for you
        anything else I can help with today
        do you have any other questions
        was there anything else
    """,
    "resolution_check": """
        does that solve the problem for you
        is that sorted for you
        is it working now
        does that answer your question
        are you happy with that
        have I answered everything
        has that fixed it
        is everything okay now
        did that resolve it
    """,
    "feedback_request": """
        would you like to take a short survey
        we'd love your feedback
        how did I do today
        could you rate this call
        how was your experience with us
        let us know how we did
    """,
    "promise": """
        I'll call you back
        we will send you a new one
        an engineer will come out
        I'll get back to you
        you will receive an email
        it will be delivered
        I'll make sure that it gets done
        we're going to refund you
        my colleague will ring you
        I'm going to look into it
        leave it with me
        someone will be in touch
        I'll look into this
        I will definitely follow up on that
    """,
    "time_expression": """
        by Friday
        tomorrow morning
        within 24 hours
        in three to five working days
        by the end of the week
        at 5pm
        before noon
        next week
        in ten minutes
        this afternoon
        on the 3rd of May
        right away
        on Tuesday
        in a couple of days
        at half past three
        by close of business
        in two weeks
    """,
    "overpromise": """
        I guarantee it'll be there
        that's 100% certain
        it will definitely arrive
        I promise you that
        it will never happen again
        you have my word
        we can absolutely guarantee that
        it'll be there for sure
    """,
    "gratitude": """
        thank you so much
        thanks a lot
        I appreciate that
        we're very grateful
        many thanks
    """,
    "patience_thanks": """
        thank you for your patience
        thanks for holding
        thank you so much for waiting
        I really appreciate your patience
        thanks for bearing with me
        thank you for being so patient
    """,
    "good_time": """
        is now a good time to talk
        have I caught you at a bad time
        do you have a minute
        is this a convenient time
        are you free to talk
        can you talk right now
        would it be a good time
    """,
    "busy_driving": """
        I'm driving at the moment
        I'm on the train
        I'm at work right now
        I can't talk long
        I'm in a meeting
        I'm just about to board
        I'm in the middle of cooking
        I'm a bit busy
        I am in the car
        hi I'm on train so it might cut out
        I am still in the train
    """,
    "upsetting_event": """
        my father passed away last month
        my husband died
        she's in hospital
        I just lost my job
        we're going through a divorce
        my mum has got cancer
        I was made redundant
        I had a miscarriage
        we had a house fire
        it's for my late wife
        we had to arrange the funeral
    """,
    "repetition_cue": """
        as I said
        I already told you that
        this is the third time I've called
        how many times do I have to say this
        like I said before
        I've explained this twice already
        do I have to repeat everything again
        I keep telling you
        I told the other lady
        for the second time
        I just told you
        I have been through this already with your colleague
        every time I call I have to start again
        already told you that
        of already told you twice
        as said already
    """,
    "not_heard_cue": """
        let me finish
        you're not listening
        stop interrupting me
        can I finish please
        would you please listen
        I haven't finished
        you keep cutting me off
        please let me speak
        are you even listening
        nobody is listening to me
        I was still talking
        you're not hearing me
    """,
    "not_understood": """
        sorry don't understand what that means
        but I do not know what you mean
        I don't understand
        what do you mean
        I'm confused
        that makes no sense
        you've lost me
        I'm not following
        I don't get it
        it doesn't make any sense to me
        what does that mean
        I don't understand what you want from me
    """,
    "asks_meaning": """
        what does that mean
        what's a SKU?
        what does RMA stand for
        in plain english please
        I don't know what a router is
    """,
    "promised_vs_told": """
        I was told it would be here on Monday
        you promised me a refund
        it was supposed to arrive yesterday
        your colleague said it was free
        the website says next day delivery
        they told me it was included
        that's not what I was told
    """,
    "are_you_there": """
        hello? are you there
        are you still there
        can you hear me
        hello hello
        is anyone there
    """,
    "repeat_request": """
        sorry?
        pardon?
        could you say that again
        can you repeat that please
        sorry I didn't catch that
        what was that again
        say again
        what did you say
        sorry, what was your name?
    """,
    "open_question": """
        what happened then
        how did it start
        when did you first notice it
        can you tell me more about that
        why do you think it stopped
        what did the engineer say
        could you describe what you see
        what matters most to you
        how long has it been like this
        talk me through what you did
    """,
    "question": """
        what is your order number
        can I take your name
        did you restart it
        do you have the receipt
        is it plugged in
        you called us on Monday?
        have you tried another cable
        when did it start
        may I ask for your postcode
    """,
    "solution": """
        what I can do is send you a new one
        I can refund that for you
        let me book an engineer for you
        I've reset your password
        I suggest we replace it
        would you like me to arrange a visit
        we could offer you a credit
        I am going to cancel that charge
        I will process the refund now
    """,
    "option": """
        or we could send it to a shop
        would you prefer a refund
        you can choose either a refund or a replacement
        there are two options
        which would you like
        it's up to you
        if you'd rather wait
        either tomorrow or on Friday
        would you rather have a voucher
    """,
    "alternative": """
        but what I can do is call them for you
        here's what I can do
        however I can offer you a discount
        alternatively we can send another
        how about we try tomorrow
        the best I can do is Friday
        instead you could collect it
        let me see what I can do
    """,
    "steps": """
        first I will check your line then I will call the team
        the next step is a visit
        here's what happens next
        once that is done we will send you a letter
        after that you will get an email
        then we will book the engineer
    """,
    "because": """
        because they have the tools for this
        the reason is that it needs approval
        so they can look at your bill
        they have access to the system
        that's why I need to ask
        due to the weather
    """,
    "playback": """
        so you ordered it on Monday and it came broken
        if I understand correctly you were charged twice
        let me make sure I understand
        just to confirm
        it sounds like the driver never came
        so what you're saying is
        have I got that right
        in other words
        let me read that back to you
        so your internet has been down since Tuesday
        what I'm hearing is that you want it fixed today
    """,
    "backchannel": """
        mm-hm
        I see
        right
        uh huh
        okay
        got it
        I understand
        oh dear
        yeah
    """,
    "filler": """
        um I think so
        it was you know broken
        it's sort of stuck
        well basically yes
    """,
    "disagreement_opener": """
        no that's wrong
        but I paid already
        actually it wasn't me
        no it isn't
        well actually no
        that's not true
        yes but I told you
        I disagree
    """,
    "ally": """
        let's look at this together
        we can sort this out
        let's see
        we'll get this fixed
        I'm here to help
        shall we try
    """,
    "obligation": """
        you must send it back
        you need to restart it
        you have to call them
        you'll need to wait
        you should contact them
        you've got to pay first
    """,
    "anger": """
        this is ridiculous
        I'm furious
        it's an absolute joke
        I'm sick and tired of this
        this is unacceptable
        I've had enough
        what a waste of time
        worst service ever
        how dare you
        I can't believe this
        are you kidding me
        for god's sake
        I'm so angry
        that's not good enough
    """,
    "distress": """
        I'm really frustrated
        this is so stressful
        I'm worried sick
        I feel let down
        it's driving me crazy
        I'm at my wits' end
        I'm very disappointed
        I don't know what to do anymore
        I'm fed up
        I am really upset
    """,
    "complaint": """
        it's not working
        the parcel never arrived
        it came broken
        I've been charged twice
        I'm still waiting for my refund
        it stopped working
        nobody called me back
        I got the wrong size
        my internet keeps dropping
        there's a problem with my bill
        we have no hot water
        I haven't received it
        I've been waiting three weeks
        you overcharged me
    """,
    "policy": """
        that's our policy
        as per our terms and conditions
        it's standard procedure
        according to our policy
        the system says no
    """,
    "let_me_check": """
        let me just check
        bear with me
        one moment please
        I'll have a look
        just a second
        let me pull up your file
        I'm just looking for it
        my system is a bit slow
        hang on
        let me find that for you
    """,
    "need_to_check": """
        I need to check with my team
        I'll have to escalate this
        we need to investigate that
        let me look into that
        I will look into it
    """,
    "handover_details": """
        her name is Anna
        you'll be speaking to Peter
        your reference number is 4471
        ask for Mary
        the extension is 204
        I've told her everything
        you can reach him on this number
    """,
    "follow_up": """
        I'll call you back tomorrow
        we'll get back to you
        I'll follow up with you
        we'll keep you posted
        I'll let you know
        I'll check back in with you
    """,
    "disrespect": """
        whatever
        are you deaf
        my five year old could do this
        here we go again
        I don't care
        deal with it
        can't you read
        not my problem
        what do you expect me to do about it
    """,
    "concern": """
        and another thing
        I also wanted to ask about my bill
        there's one more thing
        on top of that the invoice is wrong
        and what about my deposit
        the other problem is the noise
    """,
    "agreement": """
        that works for me
        yes please
        that sounds good
        perfect
        that would be great
        okay let's do that
        fair enough
    """,
    "greeting": """
        good morning
        thank you for calling Acme
        how can I help you
        my name is Anna how can I help
        you're through to billing
    """,
    "sales": """
        we have a special offer
        would you be interested in our premium plan
        have you considered upgrading
    """,
    "ownership": """
        that was our mistake
        we got this wrong
        I take full responsibility
        we let you down
    """,
    "asks_name": """
        can I take your name please
        what's your full name
        who am I speaking to
        could I have your surname
    """,
    "asks_order": """
        what's your order number
        could I have your account number please
        do you have the reference number
        can you give me the booking number
    """,
    "asks_birth": """
        what's your date of birth
        can you confirm your date of birth
    """,
    "asks_address": """
        what is your address
        can I have your postcode please
        could you confirm the first line of your address
    """,
    "asks_phone": """
        what's the best number to reach you on
        can I take a phone number
        what is your mobile number
    """,
    "asks_email": """
        what's your email address
        can I take an email address
    """,
    "asks_issue": """
        what seems to be the problem
        what's the issue
        what are you calling about today
        could you tell me what happened
    """,
    "gives_name": """
        my name is Peter
        my name's Ann Lee
        this is Mrs Brown
    """,
    "gives_order": """
        my order number is 4471
        it's order number 88213
        account number four four seven one
    """,
    "gives_birth": """
        date of birth is the third of May
        I was born in May
    """,
    "gives_address": """
        my address is 12 Mill Lane
        I live in York
    """,
    "gives_phone": """
        my phone number is 07700 900123
        call me on 07700 900123
    """,
    "gives_email": """
        my email is ann at example dot com
    """,
    "distracted": """
        sorry I was miles away
        where were we
        I lost track
    """,
}

NOT_SAID = {
    "confirms": """
        it is broken
        yes it is the blue one
        that's all I know
        is that all
    """,
    "empathy": """
        I don't understand
        I understand you want to change your address
        I can see that your order was shipped
        do you understand
        can you imagine
    """,
    "negative": """
        I can't wait to help
        you don't have to do anything
        I can't hear you
        I can't thank you enough
        do I have to sign it
        sorry you have to wait
        all you have to do is press the button
        you can pay online
    """,
    "blame": """
        we should have sent you a letter
        they should have told us
        my colleague should have let us know
        you should have received an email
        you should have it by tomorrow
        you shouldn't have had to wait
        it's not your fault
        you didn't do anything wrong
        did you not get the letter
    """,
    "judging": """
        you're right, that is ridiculous
        obviously we want to help
        the room was calm
        no need to worry
        you can relax now
    """,
    "defensive": """
        is it your department
        I will do my job
        that was my fault
        it is my responsibility
    """,
    "jargon": """
        your parcel is on its way
        I'll look at your internet connection
        please turn the box off and on
    """,
    "abuse_mild": """
        I feel so stupid
        that was a stupid question of me
        please shut down the computer
        it's the rubbish collection
        I felt like an idiot
    """,
    "abuse_severe": """
        the dog bit me
        hello there
        a basket of eggs
        he lives in scunthorpe
    """,
    "threat": """
        the battery died
        I'll find it
        it's killing me
        we have an hour to kill
        kill the power to the box
        I know where it is
    """,
    "boundary": """
        I want to help you
        please hold
        could you speak up
        if you continue you will see a button
    """,
    "escalation_request": """
        I am the manager of the shop
        I'd like to cancel my appointment
        my manager told me to call you
        I don't want to make a complaint
        it's on the court road
    """,
    "escalation_offer": """
        I made a bank transfer
        did you transfer the money
        I transferred the balance
    """,
    "hold": """
        I have been on hold for an hour
        get hold of him
        hold on to the receipt
    """,
    "closing": """
        thank you for calling Acme my name is Anna
        I had a bad day
        by the way
    """,
    "resolution_check": """
        is that your address
        does that include postage
        that is sorted by name
    """,
    "promise": """
        I'll just check that
        I will put you on hold
        will you call me
        I'll be honest
        I'll have a look
        I will need your name
    """,
    "time_expression": """
        soon
        as soon as possible
        it may be late
        I may have the wrong one
        shortly
        give it a second try
    """,
    "overpromise": """
        I can't guarantee that
        I definitely understand
        is it under guarantee
        the guarantee has expired
        we cannot promise anything
    """,
    "gratitude": """
        no thanks to you
        thanks for nothing
    """,
    "patience_thanks": """
        thank you for calling
        I have no patience left
    """,
    "good_time": """
        we had a good time
        what time is it
        a good day to you
    """,
    "busy_driving": """
        when I was driving it broke
        I left it on the train
        the number on the bus
        is that on bus route seven
        the line was busy
        I'm not driving
    """,
    "upsetting_event": """
        my phone died
        the battery is dead
        I'm bored to death
        I lost my password
        I pressed it by accident
        the call died
    """,
    "repetition_cue": """
        I haven't told you yet
        this is the first time I call
        you already told me that
        they had already explained it
        nobody has already said so
        tell me again
    """,
    "not_heard_cue": """
        thank you for listening
        I have finished the form
        let me check
        I'm not sure
    """,
    "not_understood": """
        you don't understand
        they don't understand it either
        I understand
        I did not get the email
        don't get me wrong
        I don't understand why it takes so long
    """,
    "promised_vs_told": """
        you said your name was Peter
        I told you
    """,
    "are_you_there": """
        are there any left
        I'm here
        hello
    """,
    "repeat_request": """
        do I have to say it all again
        I'm sorry about that
        sorry for the wait
        sorry, go ahead
    """,
    "open_question": """
        what is your name
        how can I help you
        how are you
        what's your order number
        did it break
    """,
    "question": """
        what a day
        I can do that
        yes it is
        that is how it works
    """,
    "solution": """
        can you change my address
        I can't refund that
        you wanted to cancel
        we do not offer that
    """,
    "option": """
        more or less
        this or that
        do it or you will pay
    """,
    "steps": """
        it was the first time
        I did it once
        on the front steps
    """,
    "playback": """
        so you have to call them
        so yes
        I saw it
    """,
    "disagreement_opener": """
        no problem
        no worries at all
        no thank you
        there is no butter
    """,
    "ally": """
        we don't do that
        we can't help you
    """,
    "obligation": """
        you don't need to do anything
        do you have to pay
        sorry you have to wait
        all you need to do
        whatever you need
    """,
    "anger": """
        no joke
        my dog is sick
        the weather is terrible
        it was a bit of a surprise
    """,
    "distress": """
        don't worry
        I'm not worried
        no worries
        I have an upset stomach
    """,
    "complaint": """
        no problem
        it works fine
        everything is okay
        not a problem at all
        it has arrived
    """,
    "policy": """
        my insurance number
        I'd like a new card
    """,
    "let_me_check": """
        let me see if I understand you
        check your email
        a second time
    """,
    "disrespect": """
        whatever works for you
        seriously sorry about that
        I care about it
    """,
    "asks_name": """
        my name is Peter
        the name of the street
    """,
    "asks_order": """
        your order number is 4471
        I ordered it
    """,
    "gives_address": """
        I don't live there any more
        my email address is on file
    """,
    "asks_address": """
        what is your email address
        I moved to a new address
    """,
}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def classes(text: str) -> set[str]:
    words = [Word(text=word, start=0.3 * at, end=0.3 * at + 0.25) for at, word in enumerate(text.split())]
    return {match.cls for match in Lexicon.load().find(words) if match.certain}


@pytest.mark.parametrize(("cls", "text"), [(cls, text) for cls, said in SAID.items() for text in lines(said)])
def test_it_is_said(cls: str, text: str) -> None:
    assert cls in classes(text)


@pytest.mark.parametrize(
    ("cls", "text"), [(cls, text) for cls, said in NOT_SAID.items() for text in lines(said)]
)
def test_it_only_sounds_like_it(cls: str, text: str) -> None:
    assert cls not in classes(text)


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("I apologise", "I apologize"),
        ("I realise how frustrating this is for you", "I realize how frustrating this is for you"),
        ("you behaviour is not acceptable", "you behavior is not acceptable"),
        ("it was cancelled", "it was canceled"),
        ("my mum passed away", "my mom passed away"),
        ("the arsehole", "the asshole"),
    ],
)
def test_british_and_american_spelling_are_the_same(british: str, american: str) -> None:
    assert classes(british) == classes(american)


def test_every_class_of_the_lexicon_is_shown_here() -> None:
    shown = set(SAID) | {"apology", "sympathy"}  # those two are counted in test_phrases_apologies.py
    shared = {"abuse", "asks_slot"}  # only what other classes count as
    assert Lexicon.load().classes == shown | shared
