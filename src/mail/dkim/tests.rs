use super::*;
use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

const RSA: &str = include_str!("only-for-tests.pem");

const MESSAGE: &str = "From: \"Tension Watch\" <watch@county.invalid>\r\nTo: csp@leicester.invalid\r\n\
                       Subject: A  signal\r\n and\tmore\r\nX-Other: not message\r\n\r\nTwo  spaces \r\n\tone\r\n\r\n\r\n";

fn at() -> DateTime<Utc> {
    "2026-06-30T04:30:00Z".parse().unwrap()
}

fn ed25519() -> Signer {
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    Signer::new("county.invalid", "watch", &pem).unwrap()
}

/// What the signature covers, written out by hand from the text above; and the signature.
fn parts(whole: &str) -> (String, Vec<u8>) {
    let header = whole.strip_suffix(MESSAGE).expect("the message itself is unchanged");
    let one_line = header.replace("\r\n", "");
    let (before, signature) = one_line.rsplit_once(" b=").unwrap();
    let covered = format!(
        "from:\"Tension Watch\" <watch@county.invalid>\r\nto:csp@leicester.invalid\r\n\
         subject:A signal and more\r\n{} b=",
        before.replace("DKIM-Signature: ", "dkim-signature:")
    );
    (covered, STANDARD.decode(signature.replace(' ', "")).unwrap())
}

#[test]
fn a_signature_covers_the_named_headers_and_the_body() {
    let signer = Signer::new("county.invalid", "watch", RSA).unwrap();
    let whole = String::from_utf8(signer.sign(MESSAGE.as_bytes(), at()).unwrap()).unwrap();
    assert_eq!(whole.as_bytes(), signer.sign(MESSAGE.as_bytes(), at()).unwrap(), "the same again");
    assert!(whole.lines().all(|line| line.len() < 100), "{whole}");
    let (covered, signature) = parts(&whole);
    let body = STANDARD.encode(Sha256::digest("Two spaces\r\n one\r\n"));
    for tag in [
        "a=rsa-sha256;",
        "c=relaxed/relaxed;",
        "t=1782793800;",
        "h=from: to: subject: from;",
        &format!("bh={body};"),
    ] {
        assert!(covered.contains(tag), "{tag} in {covered}");
    }
    let Key::Rsa(key) = &signer.key else { panic!("not RSA") };
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(covered.as_bytes(), &signature).unwrap();
    public.verify(covered.replace("signal", "alarm").as_bytes(), &signature).unwrap_err();
    assert!(!format!("{signer:?}").contains("PRIVATE"));
}

#[test]
fn ed25519_signs_the_hash() {
    let signer = ed25519();
    let whole = String::from_utf8(signer.sign(MESSAGE.as_bytes(), at()).unwrap()).unwrap();
    let (covered, signature) = parts(&whole);
    assert!(covered.contains("a=ed25519-sha256;"));
    let record = signer.record();
    let public = STANDARD.decode(record.strip_prefix("v=DKIM1; k=ed25519; p=").unwrap()).unwrap();
    let public = UnparsedPublicKey::new(&ED25519, public);
    public.verify(&Sha256::digest(covered.as_bytes()), &signature).unwrap();
}

#[test]
fn the_dns_record_is_the_key_as_openssl_writes_it() {
    let record = Signer::new("county.invalid", "watch", RSA).unwrap().record();
    let public = include_str!("only-for-tests.pub.pem");
    let plain: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(record, format!("v=DKIM1; k=rsa; p={plain}"));
}

#[test]
fn an_empty_body_and_odd_heads_are_signed_too() {
    assert_eq!(relaxed_body(""), "");
    assert_eq!(relaxed_body("\r\n\r\n"), "");
    assert_eq!(relaxed_body(" a \t b"), " a b\r\n");
    for message in ["", "no header", "From: x\r\n\r\n", "\r\n\r\n"] {
        ed25519().sign(message.as_bytes(), at()).unwrap();
    }
}

#[test]
fn keys_and_names_that_will_not_do_are_told_with_a_remedy() {
    for pem in ["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        let wrong = Signer::new("county.invalid", "watch", pem).unwrap_err().to_string();
        assert!(wrong.contains("openssl genpkey"), "{wrong}");
    }
    let wrong = Signer::new("county.invalid;\r\nx", "watch", RSA).unwrap_err().to_string();
    assert!(wrong.starts_with("[mail.dkim] domain:"), "{wrong}");
}
